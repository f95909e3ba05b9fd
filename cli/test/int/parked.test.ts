/** An incident as an operator meets it: a table that refuses rows, on a running system. */
import { clientOf, shows, stack, type Client, type Stack } from '@loom/test';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loom, type Ran } from '../support/loom.ts';

interface Context {
  system: Stack;
  client: Client;
  database: pg.Client;
}
const test = suite<Context>('parked');

test.before(async (context) => {
  context.system = await stack({ sandbox: false });
  context.client = clientOf(context.system);
  context.database = new pg.Client(context.system.postgresUrl);
  await context.database.connect();
});
test.after(async ({ system, database }) => {
  await database.end();
  await system[Symbol.asyncDispose]();
});

interface Line {
  readonly key: string;
  readonly state: string;
  readonly reason: string;
  readonly attempts: number;
  readonly redriven: number;
  readonly before: boolean;
  readonly message: { readonly sum: string; readonly problem: string; readonly items: readonly { type: string }[] };
}

const parked = ({ system }: Context, ...args: readonly string[]): Promise<Ran<Line>> =>
  loom<Line>(system, 'parked', ...args);

const rows = async ({ database }: Context): Promise<number> =>
  Number((await database.query<{ n: string }>('select count(*) as n from billing.usage')).rows[0]?.n);

/** What an alert is made of: parked messages that billing was handed. */
async function figure({ system }: Context): Promise<number> {
  const [port] = Object.values(system.state().healthPorts);
  const told = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
  const line = told.split('\n').find((one) => one.includes('"billing",loom_fact="message.parked"')) ?? '';
  return Number(line.split(' ').at(-1));
}

/** The gauge by which an operator sees what waits. */
const waiting = ({ system }: Context, count: number): Promise<void> =>
  shows(system, 'orchestrator', new RegExp(`^loom_parked\\{kind="message",\\S*"billing"\\S* ${count}$`, 'm'));

test('what billing could not take is listed, shown, redriven once mended, and counts once', async (context) => {
  const { client, database } = context;
  await database.query('alter table billing.usage add constraint fault check (step <> 1)');
  const id = await client.submit('Count the rows.', { 'rows.csv': 'a,b\n1,2\n3,4\n' });
  const job = await client.ended(id);
  const steps = job.agents.reduce((sum, agent) => sum + agent.steps, 0);
  const wanted = job.agents.length;
  const list = async (): Promise<Ran<Line>> => parked(context, 'ls', '--consumer', 'billing');
  for (let found = await list(); found.lines.length < wanted; found = await list()) await sleep(100);
  while ((await rows(context)) < steps - wanted) await sleep(50);
  assert.is(await rows(context), steps - wanted);
  while ((await figure(context)) < wanted) await sleep(50);
  assert.is(await figure(context), wanted);
  await waiting(context, wanted);

  const [first] = (await list()).lines;
  assert.equal([first!.state, first!.reason, first!.attempts], ['parked', 'internal', 5]);
  const [shown] = (await parked(context, 'show', first!.key)).lines;
  assert.equal(
    [shown!.message.sum, shown!.message.problem, shown!.message.items[0]?.type],
    ['holds', '', 'step.settled'],
  );

  await database.query('alter table billing.usage drop constraint fault');
  const once = await parked(context, 'redrive', '--all', '--reason', 'constraint dropped');
  const twice = await parked(context, 'redrive', ...once.lines.map(({ key }) => key));
  assert.equal(
    twice.lines.map(({ key, redriven, before }) => [key, redriven, before]),
    once.lines.map(({ key, redriven }) => [key, redriven, true]),
  );
  for (let now = 0; now < steps; now = await rows(context)) await sleep(50);
  assert.equal((await list()).lines, []);
  await waiting(context, 0);
  const { rows: counted } = await database.query<{ attempts: number }>('select distinct attempts from billing.usage');
  assert.equal(counted, [{ attempts: 1 }]);
});

test('what is dropped needs a reason, stays dropped, and wrong use says what to do', async (context) => {
  const [found] = (await parked(context, 'ls', '--all')).lines;
  const key = found?.key ?? '';
  assert.is((await parked(context, 'drop', key)).exit, 2);
  assert.is((await parked(context, 'drop', key, '--reason', 'of a test')).exit, 0);
  const refused = await parked(context, 'redrive', key);
  assert.is(refused.exit, 1);
  assert.match(refused.err, /was dropped: of a test/);
  assert.match((await parked(context, 'show', 'billing-none-1')).err, /ls --all lists the keys/);
});

test.run();
