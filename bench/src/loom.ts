/** Loom's own services in this process, measured where facts leave and come in. */
import { start as startRunner } from '@loom/agent-runner';
import { start as startOrchestrator } from '@loom/orchestrator';
import { subscribe } from 'node:diagnostics_channel';
import { instant, patient } from './instant.ts';
import type { Meter } from './meter.ts';
import type { Shape, Work } from './protocol.ts';

type Env = Parameters<typeof startRunner>[0];

export interface Side {
  begin(loops: readonly string[]): void;
  stop(): Promise<void>;
}

/** @param ended called for each job whose last step was answered */
export async function loomSide(work: Work, meter: Meter, ended: () => void): Promise<Side> {
  listen(meter, work.shape);
  const running: { stop(): Promise<void> }[] = [];
  if (work.half !== 'runner') running.push(await startOrchestrator(environment(work, 'orchestrator'), patient));
  if (work.half !== 'decider') {
    const ports = new Map([['offline' as const, instant(work.shape, ended)]]);
    running.push(await startRunner(environment(work, 'agent-runner'), ports));
  }
  return {
    begin: () => undefined,
    stop: async () => {
      for (const one of running) await one.stop();
    },
  };
}

function environment({ url, rootKeyFile, poolPublicKey, streams, price }: Work, user: string): Env {
  const prices = ['input', 'cached', 'output'].map((what) => [`${what}_micros_per_mtok`, price]);
  return {
    LOOM_NATS_URL: url,
    LOOM_NATS_USER: user,
    LOOM_NATS_PASSWORD: user,
    LOOM_STREAMS: String(streams),
    LOOM_ROOT_KEY_FILE: rootKeyFile,
    LOOM_POOL_PUBLIC_KEY: poolPublicKey,
    LOOM_HEALTH_PORT: '0',
    LOOM_MAX_STEPS: '1000',
    LOOM_MAX_IN_FLIGHT: '100',
    LOOM_ORCHESTRATOR_WIDTH: '200',
    LOOM_RUNNER_WIDTH: '200',
    ...(price > 0 ? { LOOM_MODEL_PRICES: JSON.stringify([{ model: 'offline', ...Object.fromEntries(prices) }]) } : {}),
  };
}

/** Of a fan-out only the planner's answer and the writer's request count: what lies between is the fan-out and its join. */
function listen(meter: Meter, shape: Shape): void {
  const from = shape.kind === 'fanout' ? 'a0-1-1' : null;
  const to = shape.kind === 'fanout' ? `a${shape.width + 1}-1-1` : null;
  subscribe('loom:append', (message) => {
    const [, , , , job = '', , noun, verb, key] = (message as string).split('.');
    if (noun === 'step' && verb === 'settled' && (from === null || key === from)) meter.settling(job);
  });
  subscribe('loom:deliver', (message) => {
    const [durable, , , , job = '', , noun, verb, key] = (message as string).split('.');
    if (durable === 'agent-runner loom' && noun === 'step' && verb === 'requested' && (to === null || key === to))
      meter.received(job);
  });
}
