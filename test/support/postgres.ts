/** Databases for tests: the run's shared cluster (LOOM_TEST_PG) or one of this process's own. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, roleUrl, setUpRoles, startPostgres, type Postgres } from '@loom/cli';
import pg from 'pg';

export interface Database extends AsyncDisposable {
  /** As superuser. */
  readonly url: string;
  /** Makes roles and schemas, runs `services/<service>/migrations`; the URL of that service's login role. */
  migrate(service: string): Promise<string>;
}

const password = 'test';

/** Runs `work` on one short-lived connection. */
async function query(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function ownCluster(): Promise<Postgres> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-pg-'));
  const cluster = await startPostgres({ dir, password, durable: false });
  const dispose = async (): Promise<void> => {
    await cluster[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  };
  return { ...cluster, [Symbol.asyncDispose]: dispose };
}

/** A fresh, empty database; dropped on dispose. */
export async function postgresDatabase(): Promise<Database> {
  const shared = process.env['LOOM_TEST_PG'];
  const cluster = shared === undefined ? await ownCluster() : null;
  const admin = cluster?.url ?? shared ?? '';
  const name = `t_${randomBytes(6).toString('hex')}`;
  await query(admin, `create database ${name}`);
  const url = Object.assign(new URL(admin), { pathname: `/${name}` }).href;
  return {
    url,
    migrate: async (service) => {
      await setUpRoles(url, () => password);
      await migrate(url, service);
      return roleUrl(url, service, password);
    },
    [Symbol.asyncDispose]: async () => {
      if (cluster) await cluster[Symbol.asyncDispose]();
      else await query(admin, `drop database if exists ${name} with (force)`);
    },
  };
}
