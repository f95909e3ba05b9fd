import * as fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClearFact } from '@loom/log';
import { applyBatch, openPool, transact } from '@loom/projection';
import type { Projection, Tx } from '@loom/projection';
import { postgresDatabase } from '@loom/test';
import type { Database } from '@loom/test';

const tables = `
  create schema live; create schema beside;
  create table live.row (tenant text, seq bigint, times int, primary key (seq));
  create table live.checkpoint (projection text, stream text, incarnation text, seq bigint, at timestamptz default now(), primary key (projection, stream, incarnation));
  create table beside.row (like live.row including all);
  create table beside.checkpoint (like live.checkpoint including all)`;

const fact = (seq: number, tenant = 't1'): ClearFact => ({
  tenant,
  stream: 'job_0a',
  seq,
  time: 1_800_000_000_000 + seq,
  source: 'agent-runner',
  key: `k${seq}`,
  id: '',
  writer: 'agent-runner',
  basis: 0,
  decision: null,
  sum: '',
  traceparent: '',
  said: null,
  type: 'step.claimed',
  items: [{ type: 'step.claimed', key: `k${seq}`, id: `${seq}.0`, body: { worker: 'w' } }],
});

const at = { projection: 'rows', stream: 'LOOM_EVENTS_0_0', incarnation: '0' };

/** Counts how often each fact was applied. */
const counting = async (tx: Tx, facts: readonly ClearFact[]): Promise<void> => {
  for (const one of facts) {
    await tx.query('insert into row values ($1, $2, 1) on conflict (seq) do update set times = row.times + 1', [
      one.tenant,
      one.seq,
    ]);
  }
};
const rows: Projection = { schema: 'live', name: 'rows', tables: ['row'], apply: counting };

let database: Database;
let pool: pg.Pool;

test.before(async () => {
  database = await postgresDatabase();
  pool = openPool(database.url, 'test');
  await pool.query(tables);
});
test.before.each(async () => {
  await pool.query('truncate live.row, live.checkpoint, beside.row, beside.checkpoint');
});
test.after(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

const stored = async (schema = 'live') => {
  const result = await pool.query<{ seq: number; times: number }>(`select seq, times from ${schema}.row order by seq`);
  return result.rows.map((row) => [row.seq, row.times]);
};

test('a batch that comes twice, or overlaps the last one, is applied once', async () => {
  assert.is(await applyBatch(pool, rows, at, [fact(1), fact(2)]), 2);
  assert.is(await applyBatch(pool, rows, at, [fact(1), fact(2)]), 0);
  assert.is(await applyBatch(pool, rows, at, [fact(2), fact(5)]), 1);
  assert.equal(await stored(), [
    [1, 1],
    [2, 1],
    [5, 1],
  ]);
});

test('however a stream is cut into batches and repeated, each fact is applied once', async () => {
  const cuts = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 6 })), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (overlaps) => {
      await pool.query('truncate live.row, live.checkpoint');
      let reached = 0;
      for (const [back, forth] of overlaps) {
        const from = Math.max(1, reached - back + 1);
        const batch = Array.from({ length: reached + forth - from + 1 }, (_, index) => fact(from + index));
        await applyBatch(pool, rows, at, batch);
        reached += forth;
      }
      assert.equal(
        await stored(),
        Array.from({ length: reached }, (_, index) => [index + 1, 1]),
      );
    }),
    { numRuns: 15 },
  );
});

test('two replicas with the same batch at the same time apply it once', async () => {
  const batch = [fact(1), fact(2), fact(3)];
  const counts = await Promise.all([1, 2, 3, 4].map(() => applyBatch(pool, rows, at, batch)));
  assert.equal(
    counts.toSorted((a, b) => a - b),
    [0, 0, 0, 3],
  );
  assert.equal(await stored(), [
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

for (const [when, wait] of [
  ['in a query', 0],
  ['between two queries', 100],
] as const)
  test(`a connection killed in the middle of the transaction, which is noticed ${when}, leaves nothing behind, and the batch is tried again`, async () => {
    let kills = 0;
    const killed: Projection = {
      ...rows,
      apply: async (tx, facts) => {
        await counting(tx, facts);
        if (kills++ > 0) return;
        const [own] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
        await pool.query('select pg_terminate_backend($1)', [own?.pid]);
        await sleep(wait);
      },
    };
    assert.is(await applyBatch(pool, killed, at, [fact(1), fact(2)]), 2);
    assert.is(kills, 2);
    assert.equal(await stored(), [
      [1, 1],
      [2, 1],
    ]);
  });

test('a crash between commit and ack hands the batch over again, and the checkpoint drops it', async () => {
  await applyBatch(pool, rows, at, [fact(1)]);
  const crashed = openPool(database.url, 'crashed');
  await applyBatch(crashed, rows, at, [fact(2), fact(3)]);
  await crashed.end();
  assert.is(await applyBatch(pool, rows, at, [fact(2), fact(3)]), 0);
  assert.equal(await stored(), [
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

test('serialization failures and deadlocks are tried again; a fault of the code is not, and moves no checkpoint', async () => {
  for (const code of ['40001', '40P01']) {
    let tries = 0;
    const value = await transact(pool, async (tx) => {
      if (tries++ === 0) await tx.query(`do $$ begin raise exception 'x' using errcode = '${code}'; end $$`);
      return tries;
    });
    assert.is(value, 2);
  }
  const faulty: Projection = { ...rows, apply: (tx) => tx.query('select nonsense').then(() => undefined) };
  const failure = await applyBatch(pool, faulty, at, [fact(1)]).catch((cause: unknown) => cause as { code: string });
  assert.is((failure as { code: string }).code, '42703');
  assert.is(await applyBatch(pool, rows, at, [fact(1)]), 1);
});

test('facts are applied tenant by tenant with the tenant set, and the setting does not outlive the transaction', async () => {
  const seen: string[] = [];
  const watching: Projection = {
    ...rows,
    apply: async (tx, facts) => {
      const [row] = await tx.query<{ tenant: string }>("select current_setting('app.tenant') as tenant");
      seen.push(`${row?.tenant}:${facts.map((one) => `${one.tenant}@${one.seq}`).join()}`);
    },
  };
  await applyBatch(pool, watching, at, [fact(1, 't1'), fact(2, 't2'), fact(3, 't1')]);
  assert.equal(seen, ['t1:t1@1,t1@3', 't2:t2@2']);
  const after = await pool.query<{ tenant: string }>(
    "select coalesce(current_setting('app.tenant', true), '') as tenant",
  );
  assert.is(after.rows[0]?.tenant, '');
});

test('another incarnation of the log has a checkpoint of its own, and another schema is filled by the same code', async () => {
  await applyBatch(pool, rows, at, [fact(1)]);
  assert.is(await applyBatch(pool, rows, { ...at, incarnation: '1' }, [fact(1)]), 1);
  assert.is(await applyBatch(pool, { ...rows, schema: 'beside' }, at, [fact(1), fact(2)]), 2);
  assert.equal(await stored(), [[1, 2]]);
  assert.equal(await stored('beside'), [
    [1, 1],
    [2, 1],
  ]);
});

test('a database that stays away is told as database_unavailable', async () => {
  const away = openPool('postgres://nobody@127.0.0.1:1/none', 'test');
  const failure = await transact(away, () => Promise.resolve(1), AbortSignal.abort()).catch((cause: unknown) => cause);
  assert.is((failure as { code: string }).code, 'database_unavailable');
  await away.end();
});

test.run();
