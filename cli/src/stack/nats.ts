/**
 * Owns one nats-server process: its configuration file, its store folder, its pid.
 * N1 every acknowledged message is on disk (`sync_interval: always`). N2 it listens on loopback alone.
 * N3 the port is chosen by the server itself unless one is asked for, so no two starts race for it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, lastWords, stop, until } from './process.ts';

export interface NatsOptions {
  readonly binary: string;
  /** For the configuration, the ports file and, in `store`, JetStream. */
  readonly dir: string;
  /** The `authorization { … }` block; none: anybody on loopback may connect. */
  readonly users?: string;
  readonly port?: number;
  /** In a process group of its own, out of reach of a terminal's Ctrl-C: who started it stops it, when all else is. */
  readonly shielded?: boolean;
  /** More lines of nats.conf. */
  readonly extra?: string;
}

export interface Nats extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  /** kill -9; returns when it is gone. */
  kill(): Promise<void>;
}

function configuration(options: NatsOptions, storeDir: string): string {
  return [
    'host: "127.0.0.1"',
    `port: ${options.port ?? -1}`,
    `ports_file_dir: ${JSON.stringify(options.dir)}`,
    'max_payload: 8388608',
    `jetstream { store_dir: ${JSON.stringify(storeDir)}, sync_interval: always }`,
    options.users === undefined ? '' : `include ${usersFile}`,
    options.extra ?? '',
  ].join('\n');
}

/** Beside nats.conf, so that it can be replaced while the server runs. */
const usersFile = 'users.conf';
const writeUsers = (dir: string, users: string): Promise<void> =>
  writeFile(join(dir, usersFile), users, { mode: 0o600 });

/** Lets a running server take another list of users; it does so within moments, and says nothing. */
export async function reloadUsers(dir: string, users: string, pid: number): Promise<void> {
  await writeUsers(dir, users);
  process.kill(pid, 'SIGHUP');
}

/** The client port the server wrote into its ports file, null until it is ready. */
async function portOf(dir: string, pid: number): Promise<number | null> {
  try {
    const ports: { nats?: string[] } = JSON.parse(await readFile(join(dir, `nats-server_${pid}.ports`), 'utf8'));
    return Number(new URL(ports.nats?.[0] ?? '').port);
  } catch {
    return null;
  }
}

/** Starts a server and waits until it takes clients. SIGTERM on dispose lets it flush; the store stays. */
export async function startNats(options: NatsOptions): Promise<Nats> {
  const storeDir = join(options.dir, 'store');
  await mkdir(storeDir, { recursive: true });
  const file = join(options.dir, 'nats.conf');
  if (options.users !== undefined) await writeUsers(options.dir, options.users);
  await writeFile(file, configuration(options, storeDir), { mode: 0o600 });
  const child = await launch(options.binary, ['-c', file], {
    detached: options.shielded ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const words = lastWords(child);
  const pid = child.pid ?? 0;
  const port = await until(child, () => portOf(options.dir, pid), words);
  const url = `nats://127.0.0.1:${port}`;
  return { url, port, pid, storeDir, kill: () => stop(child, 'SIGKILL'), [Symbol.asyncDispose]: () => stop(child) };
}
