/**
 * Owns nats-server and Postgres of one stack, both set up. D1 each can be killed and started again at its old address on
 * its old data. D2 set-up (streams, roles, migrations) is run once a start and changes nothing the second time.
 */
import { layout, secretsOf, type Secrets } from './files.ts';
import { schemasOf } from './migrate.ts';
import { startNats, type Nats } from './nats.ts';
import { lastingPorts } from './ports.ts';
import { startPostgres, type Postgres } from './postgres.ts';
import { setUpNats, setUpPostgres } from './setup.ts';

export type StoreName = 'nats-server' | 'postgres';

export interface Stores {
  readonly natsUrl: string;
  /** As superuser, database `postgres`. */
  readonly postgresUrl: string;
  readonly secrets: Secrets;
  pids(): Readonly<Record<StoreName, number>>;
  /** kill -9; returns when the process is gone. */
  kill(name: StoreName): Promise<void>;
  restart(name: StoreName): Promise<void>;
}

interface Options {
  readonly home: string;
  /** Path of nats-server. */
  readonly nats: string;
  /** NATS users beside which none can connect. */
  readonly users: readonly string[];
  readonly streams: number;
  /** Until an unacked message is delivered again, ms. */
  readonly ackWait?: number;
  /** Of Postgres: whether its data is synced to disk. */
  readonly durable: boolean;
  readonly shielded: boolean;
}

export const isStore = (name: string): name is StoreName => name === 'nats-server' || name === 'postgres';

/** Starts both; what is started is given to `owned`. */
export async function startStores(options: Options, owned: AsyncDisposableStack): Promise<Stores> {
  const secrets = await secretsOf(options.home, options.users, ['postgres', ...Object.keys(schemasOf)]);
  const [natsPort = 0, postgresPort = 0] = await lastingPorts(2);
  const start = {
    nats: await natsStarter(options, secrets, natsPort),
    postgres: postgresStarter(options, secrets, postgresPort),
  };
  const running: { nats?: Nats; postgres?: Postgres } = {};
  owned.defer(async () => {
    await running.postgres?.[Symbol.asyncDispose]();
    await running.nats?.[Symbol.asyncDispose]();
  });
  const up = await Promise.allSettled([
    start.nats().then((one) => (running.nats = one)),
    start.postgres().then((one) => (running.postgres = one)),
  ]);
  const [nats, postgres] = [valueOf(up[0]), valueOf(up[1])];
  await Promise.all([
    setUpNats(nats.url, secrets.nats['setup'] ?? '', options),
    setUpPostgres(postgres.url, secrets.postgres),
  ]);
  return {
    natsUrl: nats.url,
    postgresUrl: postgres.url,
    secrets,
    pids: () => ({ 'nats-server': running.nats?.pid ?? 0, postgres: running.postgres?.pid ?? 0 }),
    kill: async (name) => (name === 'postgres' ? running.postgres : running.nats)?.kill(),
    restart: async (name) => {
      if (name === 'postgres') running.postgres = await start.postgres();
      else running.nats = await start.nats();
    },
  };
}

async function natsStarter(options: Options, secrets: Secrets, port: number): Promise<() => Promise<Nats>> {
  const { natsUsers } = await import('@loom/log');
  const users = natsUsers(secrets.nats, options.streams);
  const { nats: binary, shielded } = options;
  return () => startNats({ binary, dir: layout(options.home).nats, users, shielded, port });
}

function postgresStarter({ home, durable, shielded }: Options, secrets: Secrets, port: number) {
  const password = secrets.postgres['postgres'] ?? '';
  return (): Promise<Postgres> => startPostgres({ dir: layout(home).postgres, password, durable, shielded, port });
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
