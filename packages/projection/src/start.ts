import { connectLog } from '@loom/log';
import type { Log, Source } from '@loom/log';
import { config, logSettings, measureLog, serve, setting, supervise, telemetry } from '@loom/service';
import type { Env, Running } from '@loom/service';
import type { Pool } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, openPool } from './pool.ts';
import { project } from './project.ts';
import type { Projection } from './project.ts';

const settingsOf = (service: string) => ({ ...logSettings(service), pgUrl: setting.url('LOOM_PG_URL') });

/** Whether the log answers within a second; for readiness. */
function reachable(log: Log): Promise<boolean> {
  const answered = log.connection.rtt().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(1_000, false, { ref: false })]);
}

/** What a service's other loops work with. */
export interface Parts {
  readonly log: Log;
  readonly pool: Pool;
}

type Loop = (parts: Parts, signal: AbortSignal) => Promise<void>;

/**
 * A whole service around one projection: log, pool, health, traces, the projection's loop, and `loops` of its own; each is begun again when it fails.
 * @throws LoomError `config_invalid`, `log_unavailable`, `server_too_old`
 */
export async function startProjection(
  service: Source,
  projection: Projection,
  env: Env,
  ...loops: readonly Loop[]
): Promise<Running> {
  const settings = config(settingsOf(service), env);
  await using starting = new AsyncDisposableStack();
  const tracing = await telemetry(service, env);
  starting.defer(() => tracing.stop());
  const pool = openPool(settings.pgUrl, service);
  starting.defer(() => pool.end());
  const log = starting.use(await connectLog({ ...connection(settings), source: service }));
  starting.defer(measureLog(service, log));
  const abort = new AbortController();
  const all: readonly Loop[] = [(parts, signal) => project({ ...projection, ...parts, service, signal }), ...loops];
  const running = all.map((loop) => supervise(service, (signal) => loop({ log, pool }, signal), abort.signal));
  starting.defer(async () => {
    abort.abort();
    await Promise.all(running.map((loop) => loop.done));
  });
  const healthy = (): boolean => running.every((loop) => loop.healthy());
  const ready = async () => ({ log: await reachable(log), database: await answers(pool), loops: healthy() });
  const health = await serve({ name: service, port: settings.healthPort, host: settings.healthHost, ready });
  starting.defer(() => health.stop());
  const owned = starting.move();
  return { port: health.port, stop: () => owned.disposeAsync() };
}

/** What `connectLog` takes, from the settings every service has. */
function connection(settings: {
  readonly natsUrl: string;
  readonly natsUser: string;
  readonly natsPassword: { reveal(): string };
  readonly streams: number;
}): { servers: string; user: string; password: string; streams: number } {
  return {
    servers: settings.natsUrl,
    user: settings.natsUser,
    password: settings.natsPassword.reveal(),
    streams: settings.streams,
  };
}
