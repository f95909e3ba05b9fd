/** A nats-server with Loom's streams on a disk that can lose its power, and logs on it that outlive the cuts. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { natsBlobs } from '@loom/blobs';
import { connectLog, natsUsers, setUpLog, type Log, type Source } from '@loom/log';
import { natsServer, type NatsServer } from '@loom/test';
import { ensureRootKeyFile, generatePoolKeys, openVault } from '@loom/vault';
import { passwordOf, users } from '../../packages/log/test/world.ts';
import { volatileDisk } from '../support/disk.ts';

type Env = Readonly<Record<string, string>>;

export interface PowerWorld extends AsyncDisposable {
  /** What a service that opens content is told by its environment. */
  environment(service: string): Env;
  log(source: Source): Promise<Log>;
  /** Writes everything to the disk, whatever the server's sync interval: what was set up is then there after a cut. */
  settle(): Promise<void>;
  /** kill -9 and the power cut in one; gives the number of pages that were unflushed. */
  cut(seed: number): Promise<number>;
  /** Power and server are back, at the same address. @throws when the server does not come up */
  boot(): Promise<void>;
}

/** `sync`: `always`, or nats-server's own default (every two minutes). The root key lies on another disk. */
export async function powerWorld(sync: 'always' | 'default'): Promise<PowerWorld> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'loom-power-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const rootKeyFile = join(folder, 'root.key');
  await ensureRootKeyFile(rootKeyFile);
  const keys = { rootKeyFile, poolPublicKey: (await generatePoolKeys()).publicKey };
  const disk = starting.use(await volatileDisk());
  const server = serverOn(() => disk.on(), sync);
  starting.defer(() => server.stop());
  await server.start();
  await setUpLog({ servers: server.url(), user: 'setup', password: passwordOf('setup') });
  const owned = starting.move();
  return {
    environment: (service) => ({
      LOOM_NATS_URL: server.url(),
      LOOM_NATS_PASSWORD: passwordOf(service),
      LOOM_ROOT_KEY_FILE: rootKeyFile,
      LOOM_POOL_PUBLIC_KEY: keys.poolPublicKey,
    }),
    log: async (source) => owned.use(await logAs(source, server.url(), keys)),
    settle: async () => void (await promisify(execFile)('sync', ['-f', await disk.on()])),
    async cut(seed) {
      server.kill();
      const unflushed = await disk.cut(seed);
      await server.stop();
      return unflushed;
    },
    boot: () => server.start(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function logAs(source: Source, servers: string, keys: { rootKeyFile: string; poolPublicKey: string }): Promise<Log> {
  return connectLog({
    servers,
    user: source,
    password: passwordOf(source),
    source,
    vault: (connection) => openVault({ connection, ...keys }),
    blobs: (connection) => natsBlobs({ connection }),
  });
}

interface Server {
  url(): string;
  start(): Promise<void>;
  kill(): void;
  stop(): Promise<void>;
}

/** Owns the server; keeps its port over its lives. */
function serverOn(folder: () => Promise<string>, sync: 'always' | 'default'): Server {
  const passwords = Object.fromEntries(users.map((user) => [user, passwordOf(user)]));
  let server: NatsServer | null = null;
  let port: number | null = null;
  return {
    url: () => `nats://127.0.0.1:${port}`,
    async start() {
      const dir = await folder();
      const store = `jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))} }`;
      server = await natsServer({
        dir,
        users: natsUsers(passwords),
        ...(port === null ? {} : { port }),
        ...(sync === 'always' ? {} : { extra: store }), // the last one holds
      });
      port = server.port;
    },
    kill: () => void (server === null ? false : process.kill(server.pid, 'SIGKILL')),
    async stop() {
      await server?.[Symbol.asyncDispose]();
      server = null;
    },
  };
}
