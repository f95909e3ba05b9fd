/** Usage over HTTP, from rows that billing's own projection wrote. */
import { applyBatch, asTenant, openPool } from '@loom/projection';
import type { ClearFact } from '@loom/log';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { usageView } from '../../../billing/src/views/usage.ts';
import { called, closed, fact, settled, submitted } from '../../../billing/test/build.ts';
import { tenantToken } from '../../src/ids.ts';
import { body, problem } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

interface Sums {
  readonly key: string;
  readonly jobs: number;
  readonly steps: number;
  readonly attempts: number;
  readonly tokens_in: number;
  readonly cost_micros: number;
  readonly waste_micros: number;
  readonly spent_micros: number;
  readonly seconds: number;
}
interface Usage {
  readonly from: string;
  readonly to: string;
  readonly group_by: string;
  readonly total: Sums;
  readonly items: readonly Sums[];
  readonly next_cursor: string | null;
}
type Row = Sums & { readonly job: string; readonly kind: string; readonly key: string; readonly at: string };
interface Rows {
  readonly items: readonly Row[];
  readonly next_cursor: string | null;
}

const test = suite<{ w: World }>('usage');
const march = '?from=2026-03-01&to=2026-04-01';
const at = (day: number): number => Date.UTC(2026, 2, day, 12);
test.before(async (context) => {
  context.w = await world();
  await write(context.w, facts(tenantToken('user_ann'), tenantToken('user_bob')));
});
test.after(async ({ w }) => w[Symbol.asyncDispose]());

async function write({ billingUrl }: World, all: readonly ClearFact[]): Promise<void> {
  const pool = openPool(billingUrl, 'test', 1);
  const position = { projection: 'usage', stream: 'S', incarnation: 'i' };
  await applyBatch(pool, usageView, position, all);
  await pool.end();
}

/** Two jobs on three days of one tenant, one of another; a step of two attempts, a lost call, a workspace, and what a playback repeats. */
function facts(tenant: string, other: string): readonly ClearFact[] {
  let seq = 0;
  const add = (who: string, stream: string, day: number, ...items: Parameters<typeof fact>[1][]): ClearFact =>
    fact({ seq: ++seq, tenant: who, stream, time: at(day) }, ...items);
  return [
    add(tenant, 'job_0a', 1, submitted('alpha')),
    add(tenant, 'job_0a', 1, settled({ step: 1, cost_micros: 500, outcome: 'failed' })),
    add(tenant, 'job_0a', 2, settled({ step: 1, attempt: 2, cost_micros: 700 })),
    add(tenant, 'job_0a', 2, settled({ step: 2, cost_micros: 40, model: 'small' })),
    add(tenant, 'job_0a', 2, called('a1-2-1', 900)),
    add(tenant, 'job_0a', 3, closed('a1-2-0-1', 7)),
    add(tenant, 'job_0b', 3, submitted('beta')),
    add(tenant, 'job_0b', 3, settled({ cost_micros: 3000 })),
    { ...add(tenant, 'job_0b', 3, settled({ step: 7, cost_micros: 77_000 })), replay: 'playback' },
    add(other, 'job_0c', 3, settled({ cost_micros: 9_000_000 })),
  ];
}

const usage = async (w: World, query: string, token?: string): Promise<Usage> =>
  body<Usage>(await w.call(`/v1/usage${query}`, token === undefined ? {} : { token }));
const shown = ({ items }: Usage) => items.map(({ key, steps, spent_micros }) => [key, steps, spent_micros]);

test('the period, its total and its days are told, a step with all it took on the day of its first fact', async ({
  w,
}) => {
  const answer = await usage(w, march);
  const { from, to, group_by: by, total } = answer;
  assert.equal([from, to, by], ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z', 'day']);
  assert.equal(shown(answer), [
    ['2026-03-03', 1, 3000],
    ['2026-03-02', 1, 40],
    ['2026-03-01', 1, 1200],
  ]);
  const { jobs, steps, attempts, tokens_in, cost_micros, waste_micros, spent_micros, seconds } = total;
  assert.equal([jobs, steps, attempts, tokens_in], [2, 3, 4, 400]);
  assert.equal([cost_micros, waste_micros, spent_micros, seconds], [4240, 900, 4240, 7]);
});

test('by job, model and engagement the dearest comes first', async ({ w }) => {
  assert.equal(shown(await usage(w, `${march}&group_by=job`)), [
    ['job_0b', 1, 3000],
    ['job_0a', 2, 1240],
  ]);
  assert.equal(shown(await usage(w, `${march}&group_by=model`)), [
    ['m', 2, 4200],
    ['small', 1, 40],
    ['', 0, 0],
  ]);
  assert.equal(shown(await usage(w, `${march}&group_by=engagement`)), [
    ['beta', 1, 3000],
    ['alpha', 2, 1240],
  ]);
});

test('a period ends before its end, and begins with its begin, to the second', async ({ w }) => {
  const of = async (query: string) => (await usage(w, query)).total.spent_micros;
  assert.is(await of('?from=2026-03-01T12:00:00Z&to=2026-03-02T12:00:00Z'), 1200);
  assert.is(await of('?from=2026-03-01T12:00:01Z&to=2026-03-03'), 40);
  assert.is(await of('?from=2026-03-02T13:00:00%2B01:00&to=2026-03-02T12:00:01Z'), 40);
  assert.equal((await usage(w, '?from=2026-01-01&to=2026-01-02')).items, []);
});

test('pages hold each group and each row once', async ({ w }) => {
  for (const by of ['day', 'job', 'model', 'engagement']) {
    const keys: string[] = [];
    for (let cursor = ''; ;) {
      const { items, next_cursor: next } = await usage(w, `${march}&group_by=${by}&limit=1${cursor}`);
      keys.push(...items.map(({ key }) => key));
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    assert.equal(
      keys,
      (await usage(w, `${march}&group_by=${by}`)).items.map(({ key }) => key),
      by,
    );
  }
  const rows: string[] = [];
  for (let cursor = ''; ;) {
    const page = await body<Rows>(await w.call(`/v1/usage/events${march}&limit=1${cursor}`));
    rows.push(...page.items.map(({ job, kind, key }) => `${job} ${kind} ${key}`));
    if (page.next_cursor === null) break;
    cursor = `&cursor=${page.next_cursor}`;
  }
  assert.equal(rows, ['job_0b step a1-1', 'job_0a workspace a1-2-0-1', 'job_0a step a1-2', 'job_0a step a1-1']);
});

test('a row says when it began and what it came to', async ({ w }) => {
  const { items } = await body<Rows>(await w.call(`/v1/usage/events${march}`));
  const step = items.at(-1);
  assert.equal([step?.at, step?.attempts, step?.spent_micros], ['2026-03-01T12:00:00.000Z', 2, 1200]);
  assert.equal(
    items.reduce((sum, { spent_micros: micros }) => sum + micros, 0),
    (await usage(w, march)).total.spent_micros,
  );
});

test("another tenant's usage is in no answer", async ({ w }) => {
  const token = w.issuer.token({ sub: 'user_bob' });
  assert.equal(shown(await usage(w, `${march}&group_by=job`, token)), [['job_0c', 1, 9_000_000]]);
  assert.is((await usage(w, march, w.issuer.token({ sub: 'user_eve' }))).total.jobs, 0);
});

test('what is asked wrongly is named', async ({ w }) => {
  const field = async (query: string, path = '/v1/usage') => (await problem(await w.call(`${path}${query}`)))[2];
  assert.is(await field('?from=yesterday'), 'from');
  assert.is(await field('?from=2026-02-30'), 'from');
  assert.is(await field('?from=2026-03-02&to=2026-03-02'), 'to');
  assert.is(await field('?group_by=person'), 'group_by');
  assert.is(await field('?limit=0', '/v1/usage/events'), 'limit');
  assert.is(await field('?colour=red'), 'colour');
  for (const cursor of [
    'x',
    Buffer.from('2026-99-99T00:00:00Z a').toString('base64url'),
    Buffer.from('12').toString('base64url'),
  ]) {
    assert.is(await field(`?cursor=${cursor}`), 'cursor');
    assert.is(await field(`?cursor=${cursor}`, '/v1/usage/events'), 'cursor');
  }
});

test("the gateway's role reads billing's usage of the tenant it names, and nothing else of billing", async ({ w }) => {
  const pool = openPool(w.databaseUrl, 'test', 1);
  try {
    assert.is((await pool.query('select * from billing.usage')).rowCount, 0, 'no tenant named');
    for (const statement of [
      'select * from billing.engagement_of',
      'select * from billing.checkpoint',
      'delete from billing.usage',
      'update billing.usage set cost_micros = 0',
    ]) {
      const failure = await asTenant(pool, 'billing', tenantToken('user_ann'), (tx) => tx.query(statement)).catch(
        (cause: unknown) => cause,
      );
      assert.match(String(failure), /permission denied/, statement);
    }
  } finally {
    await pool.end();
  }
});

test.run();
