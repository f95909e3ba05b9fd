/**
 * Owns the roles, schemas and migrations of Loom's Postgres.
 * M1 every table belongs to `loom_owner`, who cannot log in. M2 a service logs in as `loom_<service>`, owns nothing,
 * and reaches the schemas listed here alone. M3 a migration runs once, in a transaction, in name order.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { root } from '../root.ts';

/** Schemas each service may use. */
export const schemasOf: Readonly<Record<string, readonly string[]>> = {
  gateway: ['gateway', 'vault', 'billing'],
  billing: ['billing'],
  audit: ['audit'],
  retention: ['retention'],
  evals: ['evals'],
  'agent-runner': ['memory', 'vault'],
};

export function roleOf(service: string): string {
  return `loom_${service.replaceAll('-', '_')}`;
}

/** `url` with the login of a service's role. */
export function roleUrl(url: string, service: string, password: string): string {
  return Object.assign(new URL(url), { username: roleOf(service), password }).href;
}

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs `work` in a transaction that holds a lock over the database. */
async function locked(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock(7411)');
    await work();
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback');
    throw cause;
  }
}

/** What two set-ups of other databases of one cluster say when both make a role, or change one: XX000 is "tuple concurrently updated". */
const raced: ReadonlySet<unknown> = new Set(['XX000', '23505', '42710']);

/** Roles are cluster-wide and no lock of Postgres is: who loses a race begins anew, up to ten times. */
async function unraced(work: () => Promise<void>, left = 9): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (left === 0 || !(cause instanceof pg.DatabaseError) || !raced.has(cause.code)) throw cause;
    await sleep(20 + Math.random() * 80);
    await unraced(work, left - 1);
  }
}

async function ensureRole(client: pg.Client, name: string, options: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [name]);
  await client.query(`${rowCount === 0 ? 'create' : 'alter'} role ${name} ${options}`);
}

async function grantSchemas(client: pg.Client, service: string, schemas: readonly string[]): Promise<void> {
  for (const schema of schemas) {
    await client.query(`create schema if not exists ${schema} authorization loom_owner`);
    await client.query(`grant usage on schema ${schema} to ${roleOf(service)}`);
  }
}

/** A hosted Postgres gives out no superuser: its administrator may act as a role that it made only as a member, and takes `nosuperuser` from nobody. */
async function isSuperuser(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ rolsuper: boolean }>(
    'select rolsuper from pg_roles where rolname = current_user',
  );
  return rows[0]?.rolsuper === true;
}

/** Makes the owner, one login role a service, and their schemas; again and again with the same result. `url`: superuser, or one who may make roles. */
export async function setUpRoles(url: string, password: (service: string) => string): Promise<void> {
  await connected(url, (client) => unraced(() => locked(client, () => makeRoles(client, password))));
}

async function makeRoles(client: pg.Client, password: (service: string) => string): Promise<void> {
  const superuser = await isSuperuser(client);
  await ensureRole(client, 'loom_owner', 'nologin');
  if (!superuser) await client.query('grant loom_owner to current_user');
  await client.query('revoke create on schema public from public');
  for (const [service, schemas] of Object.entries(schemasOf)) {
    const secret = client.escapeLiteral(password(service));
    const rights = `login ${superuser ? 'nosuperuser ' : ''}nocreatedb nocreaterole`;
    await ensureRole(client, roleOf(service), `${rights} password ${secret}`);
    await grantSchemas(client, service, schemas);
  }
  await client.query(
    'create table if not exists public.loom_migrations (name text primary key, at timestamptz not null default now())',
  );
}

async function migrationsOf(service: string): Promise<string[]> {
  const files = await readdir(join(root, 'services', service, 'migrations')).catch(() => []);
  return files.filter((file) => file.endsWith('.sql')).toSorted();
}

async function applyOnce(client: pg.Client, service: string, file: string): Promise<void> {
  const name = `${service}/${file}`;
  await locked(client, async () => {
    const done = await client.query('select 1 from public.loom_migrations where name = $1', [name]);
    if (done.rowCount) return;
    await client.query('set local role loom_owner');
    await client.query(await readFile(join(root, 'services', service, 'migrations', file), 'utf8'));
    await client.query('reset role');
    await client.query('insert into public.loom_migrations (name) values ($1)', [name]);
  });
}

/** Runs what a service's `migrations/*.sql` still lack, as `loom_owner`. @throws what Postgres says, naming the file */
export async function migrate(url: string, service: string): Promise<void> {
  await connected(url, async (client) => {
    for (const file of await migrationsOf(service)) {
      await applyOnce(client, service, file).catch((cause: unknown) => {
        throw new Error(`migration ${service}/${file} failed: ${String(cause)}`, { cause });
      });
    }
  });
}
