import type { AddressInfo } from 'node:net';
import type { Blobs } from '@loom/blobs';
import { natsBlobs } from '@loom/blobs';
import { JobCache } from '@loom/job';
import { connectLog } from '@loom/log';
import type { Log } from '@loom/log';
import { answers, connection, openPool, reachable } from '@loom/projection';
import { config, logger, main, serve, supervise, telemetry } from '@loom/service';
import type { Env, Running } from '@loom/service';
import { openVault } from '@loom/vault';
import type { Vault } from '@loom/vault';
import { httpApp } from './app.ts';
import { settings } from './config.ts';
import type { GatewaySettings } from './config.ts';
import { projectJobs } from './consumers/jobs.ts';
import { hints } from './hints.ts';
import { csrf } from './identity/csrf.ts';
import { signIn } from './identity/sign-in.ts';
import { tokenVerifier } from './identity/tokens.ts';
import { jobRows } from './views/jobs.ts';

interface Opened {
  readonly log: Log;
  readonly vault: Vault;
  readonly blobs: Blobs;
}

/** The log with the vault and the blobs on its own connection. */
async function openLog(set: GatewaySettings): Promise<Opened> {
  const opened: { vault?: Vault; blobs?: Blobs } = {};
  const log = await connectLog({
    ...connection(set),
    source: 'gateway',
    vault: async (link) => (opened.vault = await openVault({ connection: link, rootKeyFile: set.rootKeyFile })),
    blobs: async (link) => (opened.blobs = await natsBlobs({ connection: link })),
  });
  if (opened.vault === undefined || opened.blobs === undefined)
    throw new Error('the log opened neither vault nor blobs');
  return { log, vault: opened.vault, blobs: opened.blobs };
}

/** Whatever replica answers: the key of CSRF tokens hangs on the operator's own key. */
async function csrfKey(vault: Vault): Promise<Buffer> {
  return (await vault.open('_', 'system')).hmac('id', Buffer.from('csrf'));
}

const gateOf = async (set: GatewaySettings, vault: Vault) => ({
  verify: tokenVerifier({
    keys: set.jwtKeys,
    authorizedParties: set.authorizedParties,
    issuer: set.issuer ?? set.clerkIssuer,
  }),
  csrf: csrf(await csrfKey(vault)),
});

const httpOf = ({ trustProxy, rateLimit, tlsCertificate: certificate, tlsKey: key }: GatewaySettings) => ({
  trustProxy,
  rateLimit,
  tls: certificate === null || key === null ? null : { certificate, key },
});

/** Starts the service: HTTP on LOOM_PORT, health on LOOM_HEALTH_PORT, the job read model. @throws LoomError `config_invalid`, `log_unavailable` */
export async function start(env: Env): Promise<Running> {
  const set = config(settings, env);
  await using starting = new AsyncDisposableStack();
  const tracing = telemetry('gateway', env);
  starting.defer(() => tracing.stop());
  const pool = openPool(set.postgres.reveal(), 'gateway', 8);
  starting.defer(() => pool.end());
  const { log, vault, blobs } = await openLog(set);
  starting.use(log);
  const draining = new AbortController();
  const own = {
    log,
    vault,
    blobs,
    jobs: new JobCache(log),
    rows: jobRows(pool),
    hints: hints(log),
    logger: logger('gateway'),
  };
  starting.defer(() => own.hints.stop());
  const loop = supervise('gateway', (signal) => projectJobs(own, signal), draining.signal);
  starting.defer(() => loop.done);
  const ready = async () => ({ log: await reachable(log), database: await answers(pool), loop: loop.healthy() });
  const parts = {
    ...own,
    ready,
    gate: await gateOf(set, vault),
    signIn: signIn(log),
    draining: draining.signal,
    securityContact: set.securityContact,
  };
  const app = await httpApp(parts, httpOf(set));
  await app.listen({ host: set.host, port: set.port });
  starting.defer(() => app.close());
  const health = await serve({ name: 'gateway', port: set.healthPort, ready });
  starting.defer(() => health.stop());
  starting.defer(() => draining.abort());
  const owned = starting.move();
  return { port: (app.server.address() as AddressInfo).port, stop: () => owned.disposeAsync() };
}

main(import.meta, 'gateway', start);
