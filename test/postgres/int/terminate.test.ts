/**
 * P-02: the projection's backend is terminated inside of its transaction: before the rows, between rows and checkpoint, and in the commit itself.
 * Triggers that wait for an advisory lock hold the transaction at that point for as long as the test holds the lock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresDatabase } from '@loom/test';
import type pg from 'pg';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { billingWorld, counted, grown, withClient } from '../world.ts';

const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 500 : 20;

/** Advisory lock of each point of the transaction. */
const points = { rows: 7001, checkpoint: 7002, commit: 7003 } as const;

const gates = `
  create function public.gate() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(tg_argv[0]::bigint); return new; end $$;
  create trigger gate_rows before insert on billing.usage for each row execute function public.gate('${points.rows}');
  create trigger gate_checkpoint before update on billing.checkpoint for each row execute function public.gate('${points.checkpoint}');
  create constraint trigger gate_commit after update on billing.checkpoint deferrable initially deferred
    for each row execute function public.gate('${points.commit}')`;

test(`${rounds} backends terminated inside of the transaction leave every row once`, async () => {
  await using database = await postgresDatabase();
  const url = await database.migrate('billing');
  await withClient(database.url, async (admin) => {
    await admin.query(gates);
    await using billing = await billingWorld(database.url, url);
    let kills = 0;
    for (let round = 0; round < rounds; round += 1) {
      const point = Object.values(points)[round % 3] ?? points.rows;
      await admin.query('select pg_advisory_lock($1)', [point]);
      const before = await counted(admin);
      kills += await terminateWaiting(admin, point);
      assert.is(await counted(admin), before, 'nothing of a transaction that was cut off is there');
      await admin.query('select pg_advisory_unlock($1)', [point]);
      await grown(admin, before);
    }
    const { rows, attempts, wrong } = await billing.settle();
    console.log(`P-02: ${kills} backends terminated in ${rounds} rounds, ${attempts} attempts counted, ${rows} rows`);
    assert.ok(kills >= rounds);
    assert.equal(wrong, []);
  });
});

/** Waits for transactions that are held at the point, and ends them all. How many that were. @throws after a minute */
async function terminateWaiting(admin: pg.Client, point: number): Promise<number> {
  const kill = `select pg_terminate_backend(pid, 5000) from pg_locks
    where locktype = 'advisory' and not granted and objid = $1
      and database = (select oid from pg_database where datname = current_database())`;
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(5)) {
    const { rowCount } = await admin.query(kill, [point]);
    if (rowCount) return rowCount;
  }
  throw new Error('no transaction came to the gate');
}

test.run();
