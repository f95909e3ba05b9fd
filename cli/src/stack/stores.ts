/**
 * Owns nats-server (or a cluster of them) and Postgres of one stack, both set up. D1 each can be killed and started again at its old address on
 * its old data. D2 set-up (streams, roles, migrations) is run once a start and changes nothing the second time.
 */
import { join } from 'node:path';
import { layout, secretsOf, type Secrets } from './files.ts';
import { schemasOf } from './migrate.ts';
import { lastingPorts } from './ports.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import type { NatsCluster } from './nats-cluster.ts';
import { startServer, startServers, type Servers } from './servers.ts';
import { setUpNats, setUpPostgres } from './setup.ts';

export interface Stores {
  readonly natsUrl: string;
  /** As superuser, database `postgres`. */
  readonly postgresUrl: string;
  readonly secrets: Secrets;
  /** Null where there is one nats-server alone. */
  readonly cluster: NatsCluster | null;
  pids(): Readonly<Record<string, number>>;
  /** kill -9 of `nats-server` (in a cluster `nats-1` and so on) or `postgres`; returns when the process is gone. */
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
}

interface Options {
  readonly home: string;
  /** Path of nats-server. */
  readonly nats: string;
  /** NATS users beside which none can connect. */
  readonly users: readonly string[];
  readonly streams: number;
  /** Nodes of a cluster; absent: one nats-server. */
  readonly cluster?: number;
  /** Until an unacked message is delivered again, ms. */
  readonly ackWait?: number;
  /** Of Postgres: whether its data is synced to disk. */
  readonly durable: boolean;
  readonly shielded: boolean;
}

export const isStore = (name: string): boolean => /^(nats-server|nats-\d+|postgres)$/.test(name);

/** Starts both; what is started is given to `owned`. */
export async function startStores(options: Options, owned: AsyncDisposableStack): Promise<Stores> {
  const secrets = await secretsOf(options.home, options.users, ['postgres', ...Object.keys(schemasOf)]);
  const startDatabase = await postgresStarter(options, secrets);
  const up = await Promise.allSettled([
    natsOf(options, secrets).then((servers) => owned.use(servers)),
    startDatabase().then((one) => {
      const held = { now: one };
      owned.defer(() => held.now[Symbol.asyncDispose]());
      return held;
    }),
  ]);
  const [servers, database] = [valueOf(up[0]), valueOf(up[1])];
  const replicas = servers.cluster === null ? 1 : 3;
  await Promise.all([
    setUpNats(servers.url, secrets.nats['setup'] ?? '', { ...options, replicas }),
    setUpPostgres(database.now.url, secrets.postgres),
  ]);
  return {
    natsUrl: servers.url,
    postgresUrl: database.now.url,
    secrets,
    cluster: servers.cluster,
    pids: () => ({ ...servers.pids(), postgres: database.now.pid }),
    kill: (name) => (name === 'postgres' ? database.now.kill() : servers.kill(name)),
    restart: async (name) => {
      if (name === 'postgres') database.now = await startDatabase();
      else await servers.restart(name);
    },
  };
}

async function natsOf({ home, nats: binary, streams, shielded, cluster }: Options, secrets: Secrets): Promise<Servers> {
  const { natsUsers } = await import('@loom/log');
  const users = natsUsers(secrets.nats, streams);
  const { single, clustered } = layout(home).data;
  if (cluster === undefined) return startServer({ binary, dir: single, users, shielded });
  return startServers({ binary, dir: clustered, users, shielded }, cluster);
}

async function postgresStarter(
  { home, durable, shielded, cluster }: Options,
  secrets: Secrets,
): Promise<() => Promise<Postgres>> {
  const password = secrets.postgres['postgres'] ?? '';
  const [port = 0] = await lastingPorts(1);
  const { single, clustered } = layout(home).data;
  const dir = join(cluster === undefined ? single : clustered, 'postgres');
  return () => startPostgres({ dir, password, durable, shielded, port });
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
