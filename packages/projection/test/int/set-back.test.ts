import type pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClearFact, Log } from '@loom/log';
import { openPool, project } from '@loom/projection';
import type { Projection, Tx } from '@loom/projection';
import { LoomError } from '@loom/service';
import { postgresDatabase } from '@loom/test';
import { epoch, job, parkedOf, until, world } from '../../../log/test/world.ts';

interface Context {
  readonly own: AsyncDisposableStack;
  readonly pool: pg.Pool;
  readonly log: Log;
  readonly writer: Log;
}

const test = suite<Context>('a database that was set back');

const tables = `
  create schema live;
  create table live.row (stream text, seq bigint, key text, times int default 1, primary key (stream, seq));
  create table live.checkpoint (projection text, stream text, incarnation text, seq bigint, at timestamptz default now(), primary key (projection, stream, incarnation))`;

const seen: Projection = {
  schema: 'live',
  name: 'seen',
  tables: ['row'],
  async apply(tx: Tx, facts: readonly ClearFact[]) {
    if (facts.some(({ key }) => key === 'poison')) throw new LoomError('undecodable');
    for (const { stream, seq, key } of facts)
      await tx.query(
        'insert into row values ($1, $2, $3) on conflict (stream, seq) do update set times = row.times + 1',
        [stream, seq, key],
      );
  },
};

test.before(async (context) => {
  const own = new AsyncDisposableStack();
  const nats = own.use(await world());
  const database = own.use(await postgresDatabase());
  const pool = openPool(database.url, 'test');
  own.defer(() => pool.end());
  await pool.query(tables);
  Object.assign(context, { own, pool, log: await nats.log('billing'), writer: await nats.log('orchestrator') });
});
test.after(({ own }) => own.disposeAsync());

/** The projection of a replica; the function stops it. */
function replica({ log, pool }: Context): () => Promise<void> {
  const stop = new AbortController();
  const running = project({ ...seen, log, pool, service: 'billing', size: 7, signal: stop.signal });
  return async () => {
    stop.abort();
    await running;
  };
}

const rows = async ({ pool }: Context, stream: string): Promise<string[]> =>
  (
    await pool.query<{ key: string; times: number }>('select key, times from live.row where stream = $1 order by seq', [
      stream,
    ])
  ).rows.map(({ key, times }) => (times === 1 ? key : `${key} ×${times}`));

/** What a restored dump does: rows and checkpoints as they were after the first `kept` facts of each stream. */
const setBack = ({ pool }: Context, kept: number): Promise<unknown> =>
  pool.query(
    `begin; delete from live.row where seq > ${kept}; update live.checkpoint set seq = least(seq, ${kept}); commit`,
  );

const keys = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `e${String(from + i).padStart(3, '0')}`);

test('it is caught up from the log when a replica starts, without a new fact, each fact once', async (context) => {
  const at = job();
  for (const key of keys(1, 40)) await context.writer.append(at, epoch(key));
  const stop = replica(context);
  await until(async () => (await rows(context, at.stream)).length === 40);
  await stop();
  await setBack(context, 9);
  assert.is((await rows(context, at.stream)).length, 9);
  const again = replica(context);
  await until(async () => (await rows(context, at.stream)).length === 40);
  await again();
  assert.equal(await rows(context, at.stream), keys(1, 40));
});

test('it is caught up under a running replica before the next fact is applied', async (context) => {
  const at = job();
  for (const key of keys(1, 20)) await context.writer.append(at, epoch(key));
  const stop = replica(context);
  await until(async () => (await rows(context, at.stream)).length === 20);
  await setBack(context, 3);
  await context.writer.append(at, epoch('e021'));
  await until(async () => (await rows(context, at.stream)).includes('e021'));
  await stop();
  assert.equal(await rows(context, at.stream), keys(1, 21));
});

test('a fact among the lost ones that was parked is passed over again, and parked once', async (context) => {
  const at = job();
  for (const key of [...keys(1, 10), 'poison', ...keys(11, 12)]) await context.writer.append(at, epoch(key));
  const stop = replica(context);
  await until(async () => (await rows(context, at.stream)).includes('e012'));
  await setBack(context, 0);
  await context.writer.append(at, epoch('e013'));
  await until(async () => (await rows(context, at.stream)).includes('e013'));
  await stop();
  const kept = (await rows(context, at.stream)).filter((key) => key.startsWith('e'));
  assert.equal(kept, keys(1, 13));
  assert.is((await parkedOf(context.log, at)).length, 1);
});

test('a fact that is parked as the last of its batch does not make what follows come again', async (context) => {
  const at = job();
  const stop = replica(context);
  await context.writer.append(at, epoch('poison'));
  await until(async () => (await parkedOf(context.log, at)).length === 1);
  for (const key of keys(1, 12)) await context.writer.append(at, epoch(key));
  await until(async () => (await rows(context, at.stream)).includes('e012'));
  await stop();
  const kept = (await rows(context, at.stream)).filter((key) => key.startsWith('e'));
  assert.equal(kept, keys(1, 12));
});

test.run();
