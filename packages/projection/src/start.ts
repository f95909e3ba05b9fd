import { connectLog } from '@loom/log';
import type { Log, Source } from '@loom/log';
import { config, logSettings, serve, setting, supervise, telemetry } from '@loom/service';
import type { Env, Running } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, openPool } from './pool.ts';
import { project } from './project.ts';
import type { Projection } from './project.ts';

const settingsOf = (service: string) => ({ ...logSettings(service), pgUrl: setting.url('LOOM_PG_URL') });

/** Whether the log answers within a second; for readiness. */
export function reachable(log: Log): Promise<boolean> {
  const answered = log.connection.rtt().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(1_000, false, { ref: false })]);
}

/**
 * A whole service that does nothing but keep one projection: log, pool, loop, health, traces.
 * @throws LoomError `config_invalid`, `log_unavailable`, `server_too_old`
 */
export async function startProjection(service: Source, projection: Projection, env: Env): Promise<Running> {
  const settings = config(settingsOf(service), env);
  await using starting = new AsyncDisposableStack();
  const tracing = telemetry(service, env);
  starting.defer(() => tracing.stop());
  const pool = openPool(settings.pgUrl, service);
  starting.defer(() => pool.end());
  const log = starting.use(await connectLog({ ...connection(settings), source: service }));
  const abort = new AbortController();
  const loop = supervise(service, (signal) => project({ ...projection, log, pool, service, signal }), abort.signal);
  starting.defer(() => {
    abort.abort();
    return loop.done;
  });
  const ready = async () => ({ log: await reachable(log), database: await answers(pool), loop: loop.healthy() });
  const health = await serve({ name: service, port: settings.healthPort, ready });
  starting.defer(() => health.stop());
  const owned = starting.move();
  return { port: health.port, stop: () => owned.disposeAsync() };
}

/** What `connectLog` takes, from the settings every service has. */
export function connection(settings: {
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
