import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresDatabase, type Database } from '@loom/test';
import { schemasOf, setUpRoles } from '../../src/stack/migrate.ts';

const test = suite<{ db: Database }>('roles and migrations');

test.before(async (context) => {
  context.db = await postgresDatabase();
});
test.after(async (context) => {
  await context.db[Symbol.asyncDispose]();
});

async function rows(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function refused(url: string, sql: string): Promise<void> {
  const message = await rows(url, sql).then(
    () => 'done',
    (cause: Error) => cause.message,
  );
  assert.match(message, /permission denied|must be (owner|member)/, sql);
}

test('no role of a service is a superuser, makes roles or databases, or owns anything', async ({ db }) => {
  for (const service of Object.keys(schemasOf)) await db.migrate(service);
  const strong = await rows(
    db.url,
    "select rolname from pg_roles where rolname like 'loom_%' and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls)",
  );
  assert.equal(strong, []);
  const owned = await rows(
    db.url,
    "select relname from pg_class c join pg_roles r on r.oid = c.relowner where rolname like 'loom_%' and rolname <> 'loom_owner'",
  );
  assert.equal(owned, []);
});

test('the owner of the tables cannot log in', async ({ db }) => {
  await db.migrate('billing');
  assert.equal(await rows(db.url, "select rolcanlogin from pg_roles where rolname = 'loom_owner'"), [
    { rolcanlogin: false },
  ]);
});

test('a service reaches its own schema and no other', async ({ db }) => {
  const audit = await db.migrate('audit');
  await db.migrate('billing');
  await refused(audit, 'select * from billing.usage');
  await refused(audit, 'create table audit.mine (a int)');
  await refused(audit, 'create table public.mine (a int)');
  await refused(audit, 'set role loom_owner');
});

test('the audit service can add rows and read them, and nothing else', async ({ db }) => {
  const audit = await db.migrate('audit');
  await rows(audit, 'select * from audit.audit_log');
  for (const sql of [
    'update audit.audit_log set action = 1',
    'delete from audit.audit_log',
    'truncate audit.audit_log',
    'drop table audit.audit_log',
  ]) {
    await refused(audit, sql);
  }
});

test('set-up and migrations run again change nothing', async ({ db }) => {
  await db.migrate('billing');
  const count = 'select count(*) from public.loom_migrations';
  const before = await rows(db.url, count);
  await setUpRoles(db.url, () => 'test');
  await db.migrate('billing');
  assert.equal(await rows(db.url, count), before);
});

test('set-ups of two databases of one cluster at the same time both come through, 20 times', async ({ db }) => {
  await rows(db.url, 'create database beside');
  const beside = Object.assign(new URL(db.url), { pathname: '/beside' }).href;
  try {
    for (let round = 0; round < 20; round += 1)
      await Promise.all([db.url, beside].map((url) => setUpRoles(url, () => 'test')));
  } finally {
    await rows(db.url, 'drop database beside with (force)');
  }
});

test.run();
