/**
 * Owns the secrets of one data folder: made once, mode 0600, never printed.
 *   keys/root.key, keys/pool.key (+ .pub), keys/issuer.pem   run/secrets.json: passwords of NATS and Postgres users
 */
import { isAnalyst } from '@loom/log';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where things lie in a data folder. */
export function layout(home: string) {
  return {
    /** Stores of one nats-server and of a cluster: two logs, each with a database of its own. */
    data: { single: join(home, 'data'), clustered: join(home, 'data', 'cluster') },
    logs: join(home, 'run', 'logs'),
    state: join(home, 'run', 'stack.json'),
    secrets: join(home, 'run', 'secrets.json'),
    rootKey: join(home, 'keys', 'root.key'),
    poolKey: join(home, 'keys', 'pool.key'),
    poolPublicKey: join(home, 'keys', 'pool.pub'),
    issuerKey: join(home, 'keys', 'issuer.pem'),
  } as const;
}

/** The text of a file, null when it is not there. */
export async function readIfThere(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });
}

/** Writes a file whole or not at all, readable by its owner alone. */
export async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(next, text, { mode: 0o600 });
  await rename(next, file);
}

export interface Secrets {
  readonly nats: Readonly<Record<string, string>>;
  readonly postgres: Readonly<Record<string, string>>;
}

const fresh = (names: readonly string[], old: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, old[name] ?? randomBytes(24).toString('base64url')]));

/** The passwords of this data folder; users that came with a newer Loom get theirs added, and analysts keep theirs. */
export async function secretsOf(
  home: string,
  natsUsers: readonly string[],
  postgresUsers: readonly string[],
): Promise<Secrets> {
  const file = layout(home).secrets;
  const text = await readIfThere(file);
  const old: Partial<Secrets> = text === null ? {} : JSON.parse(text);
  const readers = Object.keys(old.nats ?? {}).filter(isAnalyst);
  const secrets = { nats: fresh([...natsUsers, ...readers], old.nats), postgres: fresh(postgresUsers, old.postgres) };
  const next = JSON.stringify(secrets, null, 2);
  if (next !== text) await writeSecret(file, next);
  return secrets;
}
