/** A Postgres for a benchmark alone, synced to disk as in production; stopped by its own pid. */
import { migrate, roleUrl, setUpRoles, startPostgres } from '@loom/cli';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Database extends AsyncDisposable {
  /** As superuser. */
  readonly url: string;
  /** Makes the tables of a service; the URL of its own role. */
  migrate(service: string): Promise<string>;
}

/** As those of the log, passwords are names: all is on loopback and gone in a minute. */
const password = 'bench';

export async function startDatabase(): Promise<Database> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-bench-pg-'));
  try {
    const cluster = await startPostgres({ dir, password });
    await setUpRoles(cluster.url, () => password);
    return {
      url: cluster.url,
      async migrate(service) {
        await migrate(cluster.url, service);
        return roleUrl(cluster.url, service, password);
      },
      async [Symbol.asyncDispose]() {
        await cluster[Symbol.asyncDispose]();
        await rm(dir, { recursive: true, force: true });
      },
    };
  } catch (cause) {
    await rm(dir, { recursive: true, force: true });
    throw cause;
  }
}
