import { randomBytes } from 'node:crypto';
import { natsBlobs } from '@loom/blobs';
import { connectLog } from '@loom/log';
import type { CallKeys, Log } from '@loom/log';
import { config, logger, main, metrics, serve, supervise, telemetry } from '@loom/service';
import type { Env, Running, Settings, Supervised } from '@loom/service';
import { callKeysOf, hmacOf, readPoolKey } from './call-keys.ts';
import { settings } from './config.ts';
import { handleCall } from './consumers/calls.ts';
import type { Parts } from './consumers/calls.ts';
import { watchKills } from './consumers/kills.ts';
import { limits } from './domain/limits.ts';
import { openEngine } from './engine/engine.ts';

type Set = Settings<typeof settings>;

/** Starts the sandbox: runs code for the agents, one container a call. */
export async function start(env: Env): Promise<Running> {
  const set = config(settings, env);
  const callKeys = callKeysOf(await readPoolKey(set.privateKeyFile));
  const traces = telemetry('sandbox', env);
  const log = await connect(set, callKeys);
  const engine = await openEngine({ ...set, limits: { ...limits, wallClockMs: set.wallClockMs } }, logger('sandbox'));
  const blobs = await natsBlobs({ connection: log.connection });
  const kills = watchKills(log);
  const worker = randomBytes(4).toString('hex');
  const parts = { log, blobs, kills, worker, pool: engine.pool, limits: engine.limits, hmac: hmacOf(callKeys) };
  const stopping = new AbortController();
  const consumer = consume(log, parts, set.width, stopping.signal);
  metrics.gauge('loom_sandbox_waiting', 'Started containers that wait for a call.', () => engine.pool.waiting());
  const ready = () => Promise.resolve({ log: !log.connection.isClosed(), consumer: consumer.healthy() });
  const health = await serve({ name: 'sandbox', port: set.healthPort, ready });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await consumer.done;
    kills[Symbol.dispose]();
    await engine[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
    await Promise.all([health.stop(), traces.stop()]);
  };
  return { port: health.port, stop };
}

function connect(set: Set, callKeys: CallKeys): Promise<Log> {
  return connectLog({
    servers: set.natsUrl,
    user: set.natsUser,
    password: set.natsPassword.reveal(),
    source: 'sandbox',
    streams: set.streams,
    callKeys,
    blobs: (connection) => natsBlobs({ connection }),
  });
}

function consume(log: Log, parts: Parts, width: number, signal: AbortSignal): Supervised {
  const handle = (fact: Parameters<typeof handleCall>[1]): Promise<void> => handleCall(parts, fact);
  return supervise(
    'sandbox',
    (stop) => log.consume({ service: 'sandbox', open: true, width, signal: stop, handle }),
    signal,
  );
}

main(import.meta, 'sandbox', start);
