import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyBatch, asTenant, openPool } from '@loom/projection';
import { postgresDatabase } from '@loom/test';
import type { Database } from '@loom/test';
import { usageView } from '../../src/views/usage.ts';
import { called, closed, evening, fact, settled, submitted } from '../build.ts';

const at = { projection: 'usage', stream: 'LOOM_EVENTS_0_0', incarnation: '0' };

let database: Database;
let pool: ReturnType<typeof openPool>;

test.before(async () => {
  database = await postgresDatabase();
  pool = openPool(await database.migrate('billing'), 'billing');
});
test.after(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

const rowsOf = (tenant: string) =>
  asTenant(pool, 'billing', tenant, (tx) => tx.query('select * from usage order by job, kind, key'));

test('the rows of a job: one a step with its attempts summed over batches, one a workspace, with engagement and day', async () => {
  const next = evening + 120_000;
  await applyBatch(pool, usageView, at, [
    fact({ seq: 1 }, submitted('acme')),
    fact({ seq: 2 }, settled({ attempt: 1, outcome: 'failed', cost_micros: 100 })),
    fact({ seq: 3 }, called('a1-1-1', 30)),
  ]);
  const rest = [
    fact({ seq: 4, time: next }, settled({ attempt: 2 })),
    fact({ seq: 5, time: next }, closed('a1-1-0-1', 3)),
  ];
  await applyBatch(pool, usageView, at, rest);
  await applyBatch(pool, usageView, at, rest);
  const [step, workspace] = await rowsOf('t1');
  const { attempts, cost_micros, waste_micros, tokens_in, engagement, outcome, seq } = step ?? {};
  assert.equal(
    [attempts, cost_micros, waste_micros, tokens_in, engagement, outcome, seq],
    [2, 600, 30, 200, 'acme', 'completed', 4],
  );
  assert.equal([workspace?.['kind'], workspace?.['seconds'], workspace?.['engagement']], ['workspace', 3, 'acme']);
  const days = await asTenant(pool, 'billing', 't1', (tx) => tx.query('select day::text from usage order by kind'));
  assert.equal(
    days.map((row) => row['day']),
    ['2026-03-01', '2026-03-02'],
  );
});

test('a tenant sees its own rows, who names none sees nothing, and rows for another cannot be written', async () => {
  await applyBatch(pool, usageView, at, [fact({ seq: 10, tenant: 't2', stream: 'job_0b' }, settled())]);
  assert.equal(
    (await rowsOf('t2')).map((row) => row['job']),
    ['job_0b'],
  );
  assert.is((await pool.query('select * from billing.usage')).rowCount, 0);
  const foreign = asTenant(pool, 'billing', 't1', (tx) =>
    tx.query(
      "insert into usage (tenant, job, kind, key, day, at, seq) values ('t2', 'j', 'step', 'k', now(), now(), 1)",
    ),
  );
  assert.match(String(await foreign.catch((cause: unknown) => cause)), 'row-level security');
});

test('the role of the service can neither delete usage nor change its tables', async () => {
  for (const statement of [
    'delete from billing.usage',
    'truncate billing.usage',
    'drop table billing.usage',
    'alter table billing.usage no force row level security',
    'set role loom_owner',
  ]) {
    const failure = await pool.query(statement).catch((cause: unknown) => cause);
    assert.match(String(failure), /permission denied|must be owner/, statement);
  }
});

test.run();
