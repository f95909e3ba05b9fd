/** A projection in order, whose rows add up: what it could not take comes again by redrives, and counts once whatever comes twice. */
import { start } from '@loom/billing';
import { parkedMessages, redrive, type Address, type Draft, type Log, type Parked } from '@loom/log';
import { applyBatch, openPool } from '@loom/projection';
import { postgresDatabase, type Database } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { job, passwordOf, submitted, until, world, type World } from '../../../../packages/log/test/world.ts';
import { usageView } from '../../src/views/usage.ts';
import { settled } from '../build.ts';

interface Context {
  database: Database;
  pool: ReturnType<typeof openPool>;
  nats: World;
  runner: Log;
  operator: Log;
  url: string;
  at: Address;
  rows: readonly string[];
}
const test = suite<Context>('redrive of usage');
/** Two attempts each. */
const steps = 8;

test.before(async (context) => {
  context.database = await postgresDatabase();
  context.url = await context.database.migrate('billing');
  context.pool = openPool(context.database.url, 'test');
  context.nats = await world();
  context.runner = await context.nats.log('agent-runner');
  context.operator = await context.nats.log('operator');
  context.at = job();
  await (await context.nats.log('gateway')).append(context.at, submitted());
});
test.after(async ({ pool, nats, database }) => {
  await pool.end();
  await nats[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const serve = ({ nats, url }: Context) =>
  start({ LOOM_NATS_URL: nats.url, LOOM_NATS_PASSWORD: passwordOf('billing'), LOOM_PG_URL: url });

function attempt(step: number, number: number): Draft {
  const { body } = settled({ step, attempt: number, outcome: number === 1 ? 'failed' : 'completed' });
  return {
    type: 'step.settled',
    key: `a1-${step}-${number}`,
    body: { ...body, text: '', tool_calls: [], error: null },
  };
}

const usage = async ({ pool }: Context): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ row: string }>(
    'select row_to_json(u)::text as row from billing.usage u order by key',
  );
  return rows.map(({ row }) => row);
};

/** Steps with both attempts counted. */
const whole = async (context: Context): Promise<number> =>
  (await usage(context)).filter((row) => row.includes('"attempts":2')).length;

const parked = async ({ operator }: Context): Promise<readonly Parked[]> =>
  (await parkedMessages(operator)).filter(({ consumer }) => consumer === 'billing');

const act = { person: 'ops', reason: 'the table is mended' };

test('what a table refused is parked, the rest counts; mended and redriven twice it counts once, as if never parked', async (context) => {
  const { pool, runner, operator, at } = context;
  await pool.query(`alter table billing.usage add constraint fault check (step % 2 = 0)`);
  const service = await serve(context);
  for (const number of [1, 2]) for (let step = 1; step <= steps; step++) await runner.append(at, attempt(step, number));
  await until(async () => (await parked(context)).length === steps && (await whole(context)) === steps / 2);
  await pool.query('alter table billing.usage drop constraint fault');
  for (const _ of [1, 2]) await Promise.all((await parked(context)).map((one) => redrive(operator, one, act)));
  await until(async () => (await whole(context)) === steps);
  assert.ok((await parked(context)).every(({ state, round }) => state === 'redriven' && round === 1));
  await service.stop();
  context.rows = await usage(context);
});

test('rows that were set back behind it all are made again to the last field', async (context) => {
  const { pool } = context;
  await pool.query('truncate billing.usage, billing.checkpoint');
  const service = await serve(context);
  await until(async () => (await whole(context)) === steps);
  await service.stop();
  assert.equal(await usage(context), context.rows);
});

test('a rebuild, which takes each fact at its own place, comes to the same rows', async (context) => {
  const { pool, runner } = context;
  await pool.query('truncate billing.usage, billing.checkpoint');
  for (const stream of runner.streams) {
    const facts = await Array.fromAsync(runner.tail(stream));
    await applyBatch(pool, usageView, { projection: 'usage', stream, incarnation: 'x' }, facts);
  }
  assert.equal(await usage(context), context.rows);
});

test.run();
