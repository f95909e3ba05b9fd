/** A real log with Loom's users on it, and the runner's parts to work on it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { natsBlobs } from '@loom/blobs';
import type { Blobs } from '@loom/blobs';
import { JobCache } from '@loom/job';
import { connectLog, natsUsers, setUpLog } from '@loom/log';
import type { Log, NatsUser } from '@loom/log';
import { modelTable } from '@loom/models';
import type { ModelPort } from '@loom/models';
import { natsServer } from '@loom/test';
import { ensureRootKeyFile, openVault } from '@loom/vault';
import type { Vault } from '@loom/vault';
import { watchKills } from '../../src/consumers/kills.ts';
import type { Parts } from '../../src/consumers/parts.ts';

const users: readonly NatsUser[] = [
  'gateway',
  'orchestrator',
  'agent-runner',
  'sandbox',
  'billing',
  'audit',
  'retention',
  'evals',
  'operator',
  'setup',
];

type Runner = Parts & { readonly log: Log; readonly vault: Vault };

export interface World extends AsyncDisposable {
  /** Environment of a runner on this log. */
  readonly env: Readonly<Record<string, string>>;
  readonly gateway: Log;
  readonly orchestrator: Log;
  readonly blobs: Blobs;
  /** A runner of its own: a log, a vault, a name. */
  runner(port: ModelPort): Promise<Runner>;
}

interface Connected {
  readonly log: Log;
  readonly vault: Vault;
}

export async function world(): Promise<World> {
  const server = await natsServer({ users: natsUsers(Object.fromEntries(users.map((user) => [user, user]))) });
  const rootKeyFile = join(server.dir, 'root.key');
  await ensureRootKeyFile(rootKeyFile);
  await setUpLog({ servers: server.url, user: 'setup', password: 'setup', streams: 2 });
  const place = { url: server.url, rootKeyFile, logs: [] as Log[] };
  const { log: gateway } = await connect(place, 'gateway');
  const { log: orchestrator } = await connect(place, 'orchestrator');
  const names = { LOOM_NATS_PASSWORD: 'agent-runner', LOOM_STREAMS: '2' };
  return {
    env: { ...names, LOOM_NATS_URL: server.url, LOOM_ROOT_KEY_FILE: rootKeyFile },
    gateway,
    orchestrator,
    blobs: await natsBlobs({ connection: gateway.connection }),
    runner: async (port) => runnerOn(await connect(place, 'agent-runner'), port),
    async [Symbol.asyncDispose]() {
      await Promise.all(place.logs.map((log) => log[Symbol.asyncDispose]()));
      await server[Symbol.asyncDispose]();
    },
  };
}

interface Place {
  readonly url: string;
  readonly rootKeyFile: string;
  readonly logs: Log[];
}

async function connect(
  { url, rootKeyFile, logs }: Place,
  source: 'gateway' | 'orchestrator' | 'agent-runner',
): Promise<Connected> {
  const { promise, resolve } = Promise.withResolvers<Vault>();
  const vault = async (connection: Log['connection']): Promise<Vault> => {
    const opened = await openVault({ connection, rootKeyFile });
    resolve(opened);
    return opened;
  };
  const as = { servers: url, user: source, password: source, source, streams: 2 };
  const log = await connectLog({ ...as, vault, blobs: (connection) => natsBlobs({ connection }) });
  logs.push(log);
  return { log, vault: await promise };
}

async function runnerOn({ log, vault }: Connected, port: ModelPort): Promise<Runner> {
  const jobs = new JobCache(log);
  const blobs = await natsBlobs({ connection: log.connection });
  const own = { unsettled: new Map(), worker: randomBytes(4).toString('hex') };
  const ports = new Map([[port.provider, port]]);
  return { log, vault, jobs, blobs, kills: watchKills(log, jobs), models: modelTable, ports, ...own };
}
