/** The set-up job: keys, streams, roles, schemas, migrations. Run at each start; the second time it changes nothing. */
import { schemasOf, migrate, setUpRoles } from './migrate.ts';
import { layout, readIfThere, writeSecret } from './files.ts';

/** The root key file and the sandbox pool's key pair. @returns the pool's public key */
export async function setUpKeys(home: string): Promise<string> {
  const { ensureRootKeyFile, generatePoolKeys } = await import('@loom/vault');
  const files = layout(home);
  await ensureRootKeyFile(files.rootKey);
  const there = await readIfThere(files.poolPublicKey);
  if (there !== null) return there.trim();
  const pair = await generatePoolKeys();
  await writeSecret(files.poolKey, pair.privateKey);
  await writeSecret(files.poolPublicKey, pair.publicKey);
  return pair.publicKey;
}

/** Streams, buckets and durables. */
export async function setUpNats(
  servers: string,
  password: string,
  options: { readonly streams: number; readonly replicas?: number; readonly ackWait?: number },
): Promise<void> {
  const { setUpLog } = await import('@loom/log');
  const { streams, replicas = 1, ackWait = 60_000 } = options;
  await setUpLog({ servers, user: 'setup', password, streams, replicas, ackWait });
}

/** Roles, schemas and migrations. `url`: superuser. */
export async function setUpPostgres(url: string, passwords: Readonly<Record<string, string>>): Promise<void> {
  await setUpRoles(url, (service) => passwords[service] ?? '');
  for (const service of Object.keys(schemasOf)) await migrate(url, service);
}
