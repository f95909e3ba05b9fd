import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyBatch, asTenant, openPool } from '@loom/projection';
import { postgresDatabase } from '@loom/test';
import type { Database } from '@loom/test';
import { auditView } from '../../src/views/audit-log.ts';
import { cancel, exhausted, fact, refused, settled } from '../build.ts';

const at = { projection: 'audit_log', stream: 'LOOM_EVENTS_0_0', incarnation: '0' };

let database: Database;
let pool: ReturnType<typeof openPool>;

test.before(async () => {
  database = await postgresDatabase();
  pool = openPool(await database.migrate('audit'), 'audit');
  await applyBatch(pool, auditView, at, [
    fact({ seq: 1, source: 'gateway' }, cancel),
    fact({ seq: 2, source: 'orchestrator' }, refused, exhausted),
    fact({ seq: 3, source: 'agent-runner', tenant: 't2', stream: 'job_0b' }, settled('completed', '')),
  ]);
});
test.after(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

const rowsOf = (tenant: string) =>
  asTenant(pool, 'audit', tenant, (tx) =>
    tx.query('select seq, item, kind, source, sum from audit_log order by seq, item'),
  );

test('rows are written once each, also when the checkpoint was lost and the stream is read anew', async () => {
  const again = [
    fact({ seq: 1, source: 'gateway' }, cancel),
    fact({ seq: 2, source: 'orchestrator' }, refused, exhausted),
  ];
  await applyBatch(pool, auditView, { ...at, incarnation: '1' }, again);
  assert.equal(
    (await rowsOf('t1')).map((row) => [row['seq'], row['item'], row['kind'], row['source']]),
    [
      [1, 0, 'request', 'gateway'],
      [2, 0, 'refusal', 'orchestrator'],
      [2, 1, 'decision', 'orchestrator'],
    ],
  );
});

test('a tenant sees its own rows alone', async () => {
  assert.equal(
    (await rowsOf('t2')).map((row) => row['kind']),
    ['model_call'],
  );
  assert.is((await pool.query('select * from audit.audit_log')).rowCount, 0);
});

const forbidden = [
  "update audit.audit_log set outcome = 'x'",
  'delete from audit.audit_log',
  'truncate audit.audit_log',
  'drop table audit.audit_log',
  'drop schema audit cascade',
  'alter table audit.audit_log disable row level security',
  'alter table audit.audit_log owner to loom_audit',
  'drop policy own_tenant on audit.audit_log',
  'create rule gone as on insert to audit.audit_log do instead nothing',
  'create trigger quiet before insert on audit.audit_log for each row execute function suppress_redundant_updates_trigger()',
  "copy audit.audit_log to '/dev/null'",
  "copy audit.audit_log from '/dev/null'",
  'copy audit.audit_log from stdin',
  'grant delete on audit.audit_log to loom_audit',
  'set role loom_owner',
  'set session authorization loom_owner',
  'lock table audit.audit_log in access exclusive mode',
  'insert into audit.audit_log select * from audit.audit_log on conflict (tenant, stream, seq, item) do update set outcome = excluded.outcome',
  "insert into audit.audit_log values ('t2', 's', 9, 0, now(), 'request', 'gateway', 'a', 't', '', 'done', '')",
];

test('the role of the service can append and read, and nothing else', async () => {
  for (const statement of forbidden) {
    const attempt = asTenant(pool, 'audit', 't1', (tx) => tx.query(statement));
    const failure = await attempt.then(
      () => 'allowed',
      (cause: unknown) => String(cause),
    );
    // GRANT by who may not is a warning in Postgres, and grants nothing: checked below.
    if (!statement.startsWith('grant'))
      assert.match(failure, /permission denied|must be|not supported|violates row-level/, statement);
  }
  const rights = await pool.query(
    "select privilege_type from information_schema.role_table_grants where table_name = 'audit_log' and grantee = 'loom_audit' order by 1",
  );
  assert.equal(
    rights.rows.map((row: { privilege_type: string }) => row.privilege_type),
    ['INSERT', 'SELECT'],
  );
  assert.is((await rowsOf('t1')).length, 3);
});

test.run();
