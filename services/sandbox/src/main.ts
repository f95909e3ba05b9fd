import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { natsBlobs } from '@loom/blobs';
import { connectLog } from '@loom/log';
import type { CallKeys, Log } from '@loom/log';
import { config, logger, main, measureLog, metrics, serve, supervise, telemetry } from '@loom/service';
import type { Env, Running, Settings, Supervised } from '@loom/service';
import { callKeysOf, hmacOf, readPoolKey } from './call-keys.ts';
import { settings } from './config.ts';
import { handleCall } from './consumers/calls.ts';
import type { Parts } from './consumers/calls.ts';
import { watchKills } from './consumers/kills.ts';
import { limits } from './domain/limits.ts';
import { openEngine } from './engine/engine.ts';

/** How long a stop waits for runs in hand, ms: less than the frame's own patience, so that no container is left. */
const drainMs = 20_000;

type Set = Settings<typeof settings>;

/** Starts the sandbox: runs code for the agents, one container a call. */
export async function start(env: Env): Promise<Running> {
  const set = config(settings, env);
  const callKeys = callKeysOf(await readPoolKey(set.privateKeyFile));
  const traces = await telemetry('sandbox', env);
  const log = await connect(set, callKeys);
  const engine = await openEngine({ ...set, limits: { ...limits, wallClockMs: set.wallClockMs } }, logger('sandbox'));
  const blobs = await natsBlobs({ connection: log.connection });
  const kills = watchKills(log);
  const worker = randomBytes(4).toString('hex');
  const stopping = new AbortController();
  const ending = new AbortController();
  const hmac = hmacOf(callKeys);
  const parts = { log, blobs, kills, worker, hmac, pool: engine.pool, limits: engine.limits, ending: ending.signal };
  const hide = measureLog('sandbox', log);
  const consumer = consume(log, parts, set.width, stopping.signal);
  metrics.gauge('loom_sandbox_waiting', 'Started containers that wait for a call.', () => engine.pool.waiting());
  const ready = () => Promise.resolve({ log: !log.connection.isClosed(), consumer: consumer.healthy() });
  const health = await serve({ name: 'sandbox', port: set.healthPort, host: set.healthHost, ready });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.race([consumer.done, delay(drainMs, undefined, { ref: false })]);
    ending.abort();
    kills[Symbol.dispose]();
    hide();
    await engine[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
    await Promise.all([health.stop(), traces.stop()]);
  };
  let stopped: Promise<void> | undefined;
  return { port: health.port, stop: () => (stopped ??= stop()) };
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
