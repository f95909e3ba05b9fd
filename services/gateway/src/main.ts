import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobCache } from '@loom/job';
import { answers, openPool, project } from '@loom/projection';
import { config, logger, main, measureLog, serve, supervise, telemetry } from '@loom/service';
import type { Env, Logger, Running } from '@loom/service';
import { httpApp } from './app.ts';
import { settings } from './config.ts';
import type { GatewaySettings } from './config.ts';
import { jobView } from './consumers/jobs.ts';
import { hints } from './hints.ts';
import { signIn } from './identity/sign-in.ts';
import { openGate, openLog, reachable } from './open.ts';
import { openSite } from './page/site.ts';
import { jobRows } from './views/jobs.ts';
import { usageRows } from './views/usage.ts';

const httpOf = ({ trustProxy, rateLimit, tlsCertificate: certificate, tlsKey: key }: GatewaySettings) => ({
  trustProxy,
  rateLimit,
  tls: certificate === null || key === null ? null : { certificate, key },
});

const rowsOf = ({ jobs, logger: own }: { readonly jobs: JobCache; readonly logger: Logger }) =>
  jobView({
    jobs,
    onShut: (job, seq, err) => own.warn({ err, job, seq }, 'a job cannot be shown in lists any more'),
  });

/** How long calls are answered while it drains, so that who holds a connection learns of its end by an answer; ms. */
const farewell = 500;

/** Starts the service: HTTP on LOOM_PORT, health on LOOM_HEALTH_PORT, the job read model. @throws LoomError `config_invalid`, `log_unavailable` */
export async function start(env: Env): Promise<Running> {
  const set = config(settings, env);
  await using starting = new AsyncDisposableStack();
  const tracing = await telemetry('gateway', env);
  starting.defer(() => tracing.stop());
  const site = await openSite(set);
  const pool = openPool(set.postgres.reveal(), 'gateway', 8);
  starting.defer(() => pool.end());
  const opened = await openLog(set);
  const log = starting.use(opened.log);
  starting.defer(measureLog('gateway', log));
  const draining = new AbortController();
  const views = { rows: jobRows(pool), usage: usageRows(pool) };
  const own = { ...opened, ...views, jobs: new JobCache(log), hints: hints(log), logger: logger('gateway') };
  starting.defer(() => own.hints.stop());
  const rows = { ...rowsOf(own), log, pool, service: 'gateway' };
  const loop = supervise('gateway', (signal) => project({ ...rows, signal }), draining.signal);
  starting.defer(() => {
    draining.abort();
    return loop.done;
  });
  const ready = async () => ({ log: await reachable(log), database: await answers(pool), loop: loop.healthy() });
  const doors = { gate: await openGate(set, opened), signIn: signIn(log), securityContact: set.securityContact };
  const app = await httpApp({ ...own, ...doors, site, ready, draining: draining.signal }, httpOf(set));
  starting.defer(async () => {
    await sleep(farewell);
    await app.close();
  });
  await app.listen({ host: set.host, port: set.port });
  const health = await serve({ name: 'gateway', port: set.healthPort, host: set.healthHost, ready });
  starting.defer(() => health.stop());
  starting.defer(() => draining.abort());
  const owned = starting.move();
  return { port: (app.server.address() as AddressInfo).port, stop: () => owned.disposeAsync() };
}

main(import.meta, 'gateway', start);
