/** The real billing, two replicas under load, while its rows are made anew and swapped in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { asTenant, openPool, rebuild } from '@loom/projection';
import type { Log } from '@loom/log';
import { postgresDatabase } from '@loom/test';
import type pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { usageView } from '../../../services/billing/src/views/usage.ts';
import { billingWorld, type BillingWorld } from '../world.ts';

const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 50 : 3;

interface Context {
  readonly own: AsyncDisposableStack;
  readonly url: string;
  readonly world: BillingWorld;
  readonly log: Log;
  /** As superuser. */
  readonly pool: pg.Pool;
  /** As billing's own role. */
  readonly reader: pg.Pool;
}

const test = suite<Context>('rebuild under load');

test.before(async (context) => {
  const own = new AsyncDisposableStack();
  const database = own.use(await postgresDatabase());
  const serviceUrl = await database.migrate('billing');
  const world = own.use(await billingWorld(database.url, serviceUrl));
  const [pool, reader] = [openPool(database.url, 'test'), openPool(serviceUrl, 'reader')];
  own.defer(async () => void (await Promise.all([pool.end(), reader.end()])));
  Object.assign(context, { own, url: database.url, world, log: await world.operator(), pool, reader });
});
test.after(({ own }) => own.disposeAsync());

/** What `like` does not copy, and names: grants, policies, owner, indexes, comments. */
const dress = async ({ pool }: Context): Promise<string> => {
  const query = `
    select relname, relacl::text, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) as owner, obj_description(oid) as said,
      (select json_agg(p order by policyname) from pg_policies p where schemaname = 'billing' and tablename = relname) as policies,
      (select json_agg(indexdef order by indexname) from pg_indexes where schemaname = 'billing' and tablename = relname) as indexes,
      (select json_agg(col_description(pg_class.oid, attnum) order by attnum) from pg_attribute where attrelid = pg_class.oid and attnum > 0) as comments
    from pg_class where relnamespace = 'billing'::regnamespace and relkind = 'r' order by 1`;
  return JSON.stringify((await pool.query(query)).rows, null, 1);
};

interface Readers {
  readonly reads: () => number;
  stop(): Promise<void>;
}

/** Readers of the tenant's attempts: their number never falls, and no read fails. */
function readers({ reader }: Context): Readers {
  let [going, reads] = [true, 0];
  const read = async (): Promise<void> => {
    for (let last = 0; going; reads += 1) {
      const [row] = await asTenant(reader, 'billing', 'tacme', (tx) =>
        tx.query<{ sum: string }>('select coalesce(sum(attempts), 0) as sum from usage'),
      );
      const sum = Number(row?.sum);
      if (sum < last) throw new Error(`a reader saw ${sum} attempts after ${last}`);
      last = sum;
      await sleep(2);
    }
  };
  const all = Promise.all([read(), read()]);
  return {
    reads: () => reads,
    async stop() {
      going = false;
      await all;
    },
  };
}

test('rows are swapped under two replicas that write and readers that read; grants, policies and names stay', async (context) => {
  const { log, pool } = context;
  const before = await dress(context);
  const reading = readers(context);
  for (let round = 0; round < rounds; round += 1) {
    const [
      {
        rows: [old],
      },
      seen,
    ] = [await pool.query<{ oid: number }>("select 'billing.usage'::regclass::oid as oid"), reading.reads()];
    const report = await rebuild({ log, pool, projection: usageView });
    const {
      rows: [anew],
    } = await pool.query<{ oid: number }>("select 'billing.usage'::regclass::oid as oid");
    assert.equal(report.differences, []);
    assert.ok(report.swapped && report.facts > 20 && report.rows > 0);
    assert.is.not(anew?.oid, old?.oid, 'another table is live');
    while (reading.reads() <= seen) await sleep(2);
  }
  await reading.stop();
  assert.is(await dress(context), before);
  const foreign = await asTenant(context.reader, 'billing', 'tother', (tx) => tx.query('select * from usage'));
  assert.is(foreign.length, 0);
});

test('a row that was altered, and one that was lost, are named and healed', async ({ log, pool }) => {
  const { rows } = await pool.query<{ job: string; key: string }>(
    'select job, key from billing.usage order by at limit 2',
  );
  const [altered, lost] = [rows[0]!, rows[1]!];
  await pool.query('update billing.usage set cost_micros = cost_micros + 1 where job = $1 and key = $2', [
    altered.job,
    altered.key,
  ]);
  await pool.query('delete from billing.usage where job = $1 and key = $2', [lost.job, lost.key]);
  const dry = await rebuild({ log, pool, projection: usageView, dryRun: true });
  assert.not(dry.swapped);
  assert.is(dry.differing, 3);
  assert.equal(dry.differences.map(({ table, side }) => `${side} ${table}`).toSorted(), [
    'live billing.usage',
    'rebuilt billing.usage',
    'rebuilt billing.usage',
  ]);
  assert.is((await rebuild({ log, pool, projection: usageView })).differing, 3);
  assert.is((await rebuild({ log, pool, projection: usageView })).differing, 0);
});

/** How the process ended: its exit code, or the signal. */
async function inProcess({ world, url, pool }: Context, crashAt: string): Promise<string> {
  const script = fileURLToPath(new URL('../rebuild-once.ts', import.meta.url));
  const env = { ...process.env, LOOM_CRASH_AT: crashAt };
  const child = spawn(process.execPath, [script, world.natsUrl, url], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  // The database sees in its own time that a process is gone, and holds its locks until then.
  const left = `select 1 from pg_stat_activity where datname = current_database() and application_name = 'loom-rebuild'`;
  while ((await pool.query(left)).rowCount) await sleep(5);
  return signal ?? String(code);
}

test('killed between rows, or with the swap done but not committed, it leaves the live one as it was and can be run again', async (context) => {
  const { pool } = context;
  const oid = async (): Promise<number> =>
    (await pool.query<{ oid: number }>("select 'billing.usage'::regclass::oid as oid")).rows[0]?.oid ?? 0;
  const old = await oid();
  for (const point of ['billing_rebuild.applied:2', 'billing_rebuild.swapping']) {
    assert.is(await inProcess(context, point), 'SIGKILL', point);
    assert.is(await oid(), old, point);
  }
  assert.ok((await rebuild({ log: context.log, pool, projection: usageView })).swapped);
  assert.is.not(await oid(), old);
});

test('what stands on a table by its identity is named before anything is done; two rebuilds at once are refused', async ({
  log,
  pool,
}) => {
  await pool.query('create view public.spent as select tenant, sum(cost_micros) from billing.usage group by tenant');
  const refused = await rebuild({ log, pool, projection: usageView }).then(
    () => 'nothing',
    (cause: Error) => cause.message,
  );
  assert.match(refused, 'view spent');
  await pool.query('drop view public.spent');
  const [begun, seen] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const apply: typeof usageView.apply = async (tx, facts) => {
    begun.resolve(undefined);
    await seen.promise;
    await usageView.apply(tx, facts);
  };
  const first = rebuild({ log, pool, projection: { ...usageView, apply } });
  await begun.promise;
  const second = await Promise.allSettled([rebuild({ log, pool, projection: usageView })]);
  seen.resolve(undefined);
  assert.equal([second[0].status, (await first).swapped], ['rejected', true]);
});

test('rows that retention removed do not come back, and younger ones that are missing do', async (context) => {
  const { log, pool } = context;
  const { rows } = await pool.query<{ job: string; key: string }>(
    'select job, key from billing.usage order by at limit 2',
  );
  const [removed, missing] = [rows[0]!, rows[1]!];
  const gone = [removed, missing].map(({ job, key }) => `(job = '${job}' and key = '${key}')`);
  await pool.query(`delete from billing.usage where ${gone.join(' or ')}`);
  const old = `update usage set at = at - interval '40 days' where job = '${removed.job}' and key = '${removed.key}'`;
  const apply: typeof usageView.apply = async (tx, facts) => {
    await usageView.apply(tx, facts);
    await tx.query(old);
  };
  const report = await rebuild({ log, pool, projection: { ...usageView, apply } });
  assert.is(report.differing, 1);
  const { rows: back } = await pool.query<{ key: string; job: string }>(
    `select job, key from billing.usage where ${gone.join(' or ')}`,
  );
  assert.equal(back, [missing]);
});

test.run();
