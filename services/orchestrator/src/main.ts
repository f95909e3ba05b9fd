import { natsBlobs } from '@loom/blobs';
import { connectLog, type Log } from '@loom/log';
import { modelsFromEnv } from '@loom/models';
import {
  config,
  logger,
  main,
  measureLog,
  serve,
  telemetry,
  type Env,
  type Running,
  type Settings,
} from '@loom/service';
import { openVault, type Vault } from '@loom/vault';
import { settings } from './config.ts';
import { sweepOpenJobs } from './consumers/sweep.ts';
import { parentsOf } from './consumers/parents.ts';
import { consumeTimers, consumeTriggers } from './consumers/triggers.ts';
import { Turns } from './consumers/turn.ts';
import { decide } from './domain/decide.ts';
import type { Intake } from './domain/intake.ts';
import { counted, measureJobs, ParkedSteps } from './metrics.ts';

/** Starts the orchestrator: triggers, timers and the slow sweep. Another decider only for a benchmark. */
export async function start(env: Env, decider = decide): Promise<Running> {
  const set = config(settings, env);
  const traces = await telemetry('orchestrator', env);
  const { log, vault } = await connect(set);
  const blobs = await natsBlobs({ connection: log.connection });
  const stopping = new AbortController();
  const parked = new ParkedSteps();
  const hide = [measureLog('orchestrator', log, [timers]), measureJobs(log, parked)];
  const turns = new Turns(counted(log), intakeOf(set, env), parentsOf({ log, vault, blobs }), {
    decide: decider,
    left: (job) => parked.see(job),
  });
  const onError = (cause: unknown): void =>
    logger('orchestrator').warn({ err: cause }, 'the sweep met a job that it could not turn');
  const work = Promise.all([
    consumeTriggers(log, turns, set.width, stopping.signal),
    consumeTimers(log, stopping.signal),
    sweepOpenJobs(log, turns, set.sweepMs, stopping.signal, onError),
  ]);
  const health = await serve({
    name: 'orchestrator',
    port: set.healthPort,
    host: set.healthHost,
    ready: () => Promise.resolve({ log: !log.connection.isClosed() }),
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await work;
    for (const end of hide) end();
    await log[Symbol.asyncDispose]();
    await Promise.all([health.stop(), traces.stop()]);
  };
  return { port: health.port, stop };
}

async function connect(set: Settings<typeof settings>): Promise<{ readonly log: Log; readonly vault: Vault }> {
  const opened = Promise.withResolvers<Vault>();
  const log = await connectLog({
    servers: set.natsUrl,
    user: set.natsUser,
    password: set.natsPassword.reveal(),
    source: 'orchestrator',
    streams: set.streams,
    vault: async (connection) => {
      const { rootKeyFile, poolPublicKey } = set;
      const vault = await openVault({ connection, rootKeyFile, poolPublicKey });
      opened.resolve(vault);
      return vault;
    },
    blobs: (connection) => natsBlobs({ connection }),
  });
  return { log, vault: await opened.promise };
}

/** The orchestrator's durable beside those on the event streams. */
const timers = { stream: 'LOOM_TIMERS', durable: 'orchestrator' };

function intakeOf(set: Settings<typeof settings>, env: Env): Intake {
  const choice = modelsFromEnv(env);
  return {
    models: choice.models,
    prices: choice.available.map(({ price, maxOutput }) => ({ ...price, max_output_tokens: maxOutput })),
    priceVersion: choice.priceVersion,
    defaultBudgetMicros: set.defaultBudgetMicros,
    limits: {
      max_agents: set.maxAgents,
      max_depth: set.maxDepth,
      max_fan_out: set.maxFanOut,
      max_steps: set.maxSteps,
      max_attempts: set.maxAttempts,
      max_in_flight: set.maxInFlight,
      max_output_tokens: set.maxOutputTokens,
      step_deadline_ms: set.stepDeadlineMs,
      tool_deadline_ms: set.toolDeadlineMs,
      silence_ms: set.silenceMs,
      parked_ms: set.parkedMs,
    },
  };
}

main(import.meta, 'orchestrator', start);
