/** `./loom rebuild` and `./loom replay --to` on a whole Loom that did jobs: every projection agrees, and what only its rows know stays. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@loom/log';
import { openPool, rebuild, type RebuildReport } from '@loom/projection';
import { clientOf, stack, type Client, type Stack } from '@loom/test';
import { openVault } from '@loom/vault';
import type pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../../packages/log/test/world.ts';
import { addressOf, command, logOf, rootKeyOf } from '../support/replay-world.ts';
import { projections } from '../../src/commands/rebuild.ts';
import { replaySpan } from '../../src/commands/replay-span.ts';
import { output } from '../../src/output.ts';
import { verifyCopies } from '../../src/span/copy.ts';
import { readFolder } from '../../src/span/folder.ts';

interface Context {
  readonly own: AsyncDisposableStack;
  readonly system: Stack;
  /** As the operator, with the keys. */
  readonly log: Log;
  /** As superuser. */
  readonly pool: pg.Pool;
  readonly dir: string;
  /** Ids of jobs that ended. */
  readonly jobs: readonly string[];
  readonly begun: string;
}

const test = suite<Context>('rebuild');

test.before(async (context) => {
  const own = new AsyncDisposableStack();
  const begun = new Date().toISOString();
  const system = own.use(await stack({ sandbox: false }));
  const client = clientOf(system);
  const pool = openPool(system.postgresUrl, 'test');
  own.defer(() => pool.end());
  const dir = await mkdtemp(join(tmpdir(), 'loom-rebuild-'));
  own.defer(() => rm(dir, { recursive: true, force: true }));
  const jobs = await Promise.all(['Count the rows.', 'Count them again.'].map((brief) => done(client, brief)));
  const log = own.use(await logOf(system, 'operator'));
  Object.assign(context, { own, system, log, pool, dir, jobs, begun });
});
test.after(({ own }) => own.disposeAsync());

async function done(client: Client, brief: string): Promise<string> {
  const id = await client.submit(brief, { 'rows.csv': 'a,b\n1,2\n3,4\n' });
  await client.ended(id);
  return id;
}

const rowsOf = async ({ pool }: Context): Promise<string[]> =>
  (await pool.query<{ row: string }>('select row_to_json(j)::text as row from gateway.jobs j order by id')).rows.map(
    ({ row }) => row,
  );

/** In this process; the command itself is tried once below. */
async function rebuilt({ log, pool }: Context, name: string, dryRun = false): Promise<RebuildReport> {
  const projecting = projections[name];
  if (projecting === undefined) throw new Error(name);
  return rebuild({ log, pool, projection: await projecting(log, output(true)), dryRun });
}

test('all five agree with their rebuilds', async (context) => {
  await until(async () => {
    const rows = await rowsOf(context);
    return rows.length >= 2 && rows.every((row) => /completed|failed/.test(row));
  });
  const before = await rowsOf(context);
  assert.is(before.length, 2);
  for (const name of ['billing', 'audit', 'retention', 'evals', 'jobs']) {
    const { differences, unread, swapped, facts } = await rebuilt(context, name);
    assert.equal({ differences, unread, swapped }, { differences: [], unread: [], swapped: true }, name);
    assert.ok(facts > 20, name);
  }
  assert.equal(await rowsOf(context), before);
});

test('a row that differs is named on both sides, left alone by --dry-run, and healed', async (context) => {
  const wrong = async (): Promise<number> => (await rowsOf(context)).filter((row) => row.includes('"running"')).length;
  await context.pool.query("update gateway.jobs set status = 'running' where id = $1", [context.jobs[0]]);
  const { differences } = await rebuilt(context, 'jobs', true);
  assert.equal(
    differences.map(({ side }) => side),
    ['live', 'rebuilt'],
  );
  assert.is(await wrong(), 1);
  await rebuilt(context, 'jobs');
  assert.is(await wrong(), 0);
});

test("the gateway's list that was set back behind its acks is caught up at its stream's next fact", async (context) => {
  const [other = '', touched = ''] = context.jobs;
  const before = await rowsOf(context);
  await context.pool.query('begin; delete from gateway.jobs; delete from gateway.checkpoint; commit');
  await using retention = await logOf(context.system, 'retention');
  const body = { artifact: 'a0-1-0', object: 'none' };
  await retention.append(await addressOf(retention, touched), { type: 'artifact.expired', key: 'a0-1-0', body });
  await until(async () => (await rowsOf(context)).some((row) => row.includes(touched)));
  await rebuilt(context, 'jobs');
  const ofOther = (rows: readonly string[]): readonly string[] => rows.filter((row) => row.includes(other));
  assert.equal(ofOther(await rowsOf(context)), ofOther(before));
  assert.is((await rowsOf(context)).length, 2);
});

test('the row of a shredded job is taken over, and so is an object that is still to be erased', async (context) => {
  const { system, pool, jobs } = context;
  await using retention = await logOf(system, 'retention');
  const at = await addressOf(retention, jobs[0] ?? '');
  const vault = await openVault({ connection: retention.connection, rootKeyFile: rootKeyOf(system) });
  await vault.destroy({ tenant: at.tenant, job: at.stream });
  const before = await rowsOf(context);
  const artifact = (key: string, expired: string): string =>
    `insert into retention.artifact values ('t1', 'job_0purged', '${key}', 'objects/${key}', now() - interval '89 days', ${expired})`;
  await pool.query(`${artifact('kept', 'null')}; ${artifact('erased', 'now()')}`);
  await using fresh = await logOf(system, 'operator');
  await rebuilt({ ...context, log: fresh }, 'jobs');
  await rebuilt(context, 'retention');
  assert.equal(await rowsOf(context), before);
  const { rows } = await pool.query<{ key: string }>("select key from retention.artifact where job = 'job_0purged'");
  assert.equal(rows, [{ key: 'kept' }]);
});

test('the commands do the same, and put the operator who asked on record', async ({ system, dir, begun, log }) => {
  const to = join(dir, 'copy');
  const [made, none, copied] = await Promise.all([
    command(system, 'rebuild', 'billing'),
    command(system, 'rebuild', 'nothing'),
    command(system, 'replay', '--since', begun, '--to', to, '--verify'),
  ]);
  assert.equal([made.exit, none.exit, copied.exit], [0, 2, 0]);
  assert.is(made.lines.at(-1)?.['agree'], true);
  const { facts, verified, gaps } = copied.lines.at(-1) ?? {};
  assert.ok(Number(facts) > 30);
  assert.equal([verified, gaps], [facts, 0]);
  assert.is(await verifyCopies(readFolder(to)), facts);
  const acts = await Array.fromAsync(log.readClear({ tenant: '_', stream: 'system' }));
  const told = acts.flatMap(({ said }) => (said?.type === 'request.recorded' ? [said.body.request.action] : []));
  assert.equal(told.toSorted(), ['loom rebuild', 'loom replay --to']);
});

test('wrong usage of a span is told before anything is reached', async ({ dir: to, begun: since }) => {
  const wrong = [
    { to },
    { since: 'yesterday', to },
    { since },
    { since, to, rate: '0' },
    { since, to, until: '2100-01-01' },
  ];
  for (const options of wrong) {
    const exit = await replaySpan(options, output(true)).then(
      () => 0,
      (cause: { exit: number }) => cause.exit,
    );
    assert.is(exit, 2, JSON.stringify(options));
  }
});

test.run();
