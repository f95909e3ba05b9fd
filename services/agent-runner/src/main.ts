import { randomBytes } from 'node:crypto';
import { natsBlobs } from '@loom/blobs';
import { JobCache } from '@loom/job';
import { connectLog } from '@loom/log';
import type { Fact, Log } from '@loom/log';
import { modelsFromEnv } from '@loom/models';
import { config, main, measureLog, serve, supervise, telemetry } from '@loom/service';
import type { Env, Running, Settings, Supervised } from '@loom/service';
import { openVault } from '@loom/vault';
import type { Vault } from '@loom/vault';
import { settings } from './config.ts';
import { watchKills } from './consumers/kills.ts';
import type { Parts } from './consumers/parts.ts';
import { handleStep } from './consumers/steps.ts';
import { handleTool } from './consumers/tools.ts';
import { modelPorts } from './models/index.ts';
import { measured } from './models/measured.ts';

type Set = Settings<typeof settings>;

/** How long calls in hand may go on when the service is stopped, ms: shorter than the longest drain of a process. */
const graceMs = 15_000;

/** Starts the agent-runner: makes the model calls, and does the tools that need no isolation. Ports of one's own only for a benchmark. */
export async function start(env: Env, ports?: Parts['ports']): Promise<Running> {
  const set = config(settings, env);
  const { available: models } = modelsFromEnv(env);
  const traces = await telemetry('agent-runner', env);
  const { log, vault } = await connect(set);
  const jobs = new JobCache({ read: (at, options) => log.readShared(at, options), snapshots: log.snapshots });
  const kills = watchKills(log, jobs);
  const blobs = await natsBlobs({ connection: log.connection });
  const worker = randomBytes(4).toString('hex');
  const parts: Parts = {
    log,
    jobs,
    vault,
    blobs,
    kills,
    models,
    ports: ports ?? measured(await modelPorts(keysOf(set), env), models),
    unsettled: new Map(),
    worker,
  };
  const stopping = new AbortController();
  const hide = measureLog('agent-runner', log);
  const consumer = consume(log, parts, set.width, stopping.signal);
  const ready = () => Promise.resolve({ log: !log.connection.isClosed(), consumer: consumer.healthy() });
  const health = await serve({ name: 'agent-runner', port: set.healthPort, host: set.healthHost, ready });
  const stop = async (): Promise<void> => {
    stopping.abort();
    const grace = setTimeout(() => kills.drain(), graceMs);
    await consumer.done;
    clearTimeout(grace);
    kills[Symbol.dispose]();
    hide();
    await log[Symbol.asyncDispose]();
    await Promise.all([health.stop(), traces.stop()]);
  };
  return { port: health.port, stop };
}

async function connect(set: Set): Promise<{ readonly log: Log; readonly vault: Vault }> {
  const opened = Promise.withResolvers<Vault>();
  const log = await connectLog({
    servers: set.natsUrl,
    user: set.natsUser,
    password: set.natsPassword.reveal(),
    source: 'agent-runner',
    streams: set.streams,
    vault: async (connection) => {
      const vault = await openVault({ connection, rootKeyFile: set.rootKeyFile });
      opened.resolve(vault);
      return vault;
    },
    blobs: (connection) => natsBlobs({ connection }),
  });
  return { log, vault: await opened.promise };
}

const keysOf = (set: Set): Parameters<typeof modelPorts>[0] => ({
  anthropic: { apiKey: set.anthropicKey?.reveal() ?? 'none', baseUrl: set.anthropicUrl },
  openai: { apiKey: set.openaiKey?.reveal() ?? 'none', baseUrl: set.openaiUrl },
});

function consume(log: Log, parts: Parts, width: number, signal: AbortSignal): Supervised {
  const handle = (fact: Fact): Promise<void> =>
    fact.type === 'step.requested' ? handleStep(parts, fact) : handleTool(parts, fact);
  return supervise(
    'agent-runner',
    (stop) => log.consume({ service: 'agent-runner', open: true, width, signal: stop, handle }),
    signal,
  );
}

main(import.meta, 'agent-runner', start);
