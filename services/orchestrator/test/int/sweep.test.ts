/** The list of open jobs, and the sweep over them, on a real log. */
import type { Address, Draft, Log } from '@loom/log';
import { streamOf, subjectOf } from '@loom/log';
import { LoomError } from '@loom/service';
import { patient } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fence, job, submitted, until, world } from '../../../../packages/log/test/world.ts';
import type { World } from '../../../../packages/log/test/world.ts';
import { Sweep, sweepOpenJobs, Turns } from '../../src/index.ts';
import { intake } from '../support/world.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
}
const test = suite<Context>('sweep');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

const end: Draft = { type: 'job.completed', key: '0', body: { spent_micros: 0, agents: 0, steps: 0, artifacts: 0 } };
const mark = (seq: number, type = 'decision.made'): Draft => ({
  type: 'record.replayed',
  key: String(seq),
  body: { seq, type },
});

/** A job and what its orchestrator decided, one decision after the other. */
async function decided({ gateway, orchestrator }: Context, ...decisions: (readonly Draft[])[]): Promise<Address> {
  const at = job();
  let last = await gateway.append(at, submitted(), { replay: 'playback' });
  let own = 0;
  for (const drafts of decisions) {
    const made = await orchestrator.decide(at, drafts, fence(last.seq, own), { replay: 'playback' });
    assert.ok(made);
    last = { ...last, seq: made.seq };
    own = made.seq;
  }
  return at;
}

test('a playback leaves the list with the decision that holds its end, and stays on it until then', async (context) => {
  const sweep = new Sweep(context.orchestrator);
  const listed = async (): Promise<readonly string[]> => (await sweep.open()).map(({ stream }) => stream);
  const begun = await decided(context, [mark(1), mark(2)]);
  const over = await decided(context, [mark(1), mark(2)], [mark(3), end]);
  const cancelled = await decided(context, [mark(1), mark(2)], [end]);
  const untouched = await decided(context);
  assert.equal((await listed()).toSorted(), [begun.stream, untouched.stream].toSorted());
  const last = await context.orchestrator.getLastClear(begun, 'orchestrator', 'decision.made');
  await context.orchestrator.decide(begun, [mark(3), end], fence(last?.seq ?? 0, last?.seq ?? 0));
  assert.equal(await listed(), [untouched.stream]);
  const news = (await new Sweep(context.gateway).open()).map(({ stream }) => stream);
  assert.equal(news, [untouched.stream], `neither ${over.stream} nor ${cancelled.stream}`);
});

test('a job whose end is seen before its submission, by a replica that was behind, is not listed for ever', async (context) => {
  const { orchestrator } = context;
  let behind = true;
  const before = await orchestrator.scan('gateway', 'job.submitted');
  const scan: Log['scan'] = async (source, type, cursor) =>
    type === 'job.submitted' && behind ? before : orchestrator.scan(source, type, cursor);
  const sweep = new Sweep({ scan, getLastClear: (...place) => orchestrator.getLastClear(...place) });
  const over = await decided(context, [end]);
  const listed = async (): Promise<boolean> => (await sweep.open()).some(({ stream }) => stream === over.stream);
  assert.not(await listed());
  behind = false;
  assert.not(await listed());
});

/** A fresh job in one of the streams. */
function jobIn(stream: string): Address {
  for (;;) {
    const at = job();
    if (streamOf(at, 4) === stream) return at;
  }
}

test('a job that cannot be read keeps no other from being swept', async ({ gateway, orchestrator }) => {
  const [first = '', ...others] = orchestrator.streams;
  const [damaged, whole] = [jobIn(first), jobIn(others.at(-1) ?? '')];
  for (const at of [damaged, whole]) await gateway.append(at, submitted());
  await gateway.connection.request(subjectOf(damaged, 'gateway', 'message.posted', 'm1'), 'no fact', patient);
  const abort = new AbortController();
  const told: string[] = [];
  const turns = new Turns(orchestrator, intake, () => Promise.resolve(null));
  const sweeping = sweepOpenJobs(orchestrator, turns, 20, abort.signal, (cause) => {
    told.push(LoomError.from(cause).code);
  });
  await until(async () => (await orchestrator.getLastClear(whole, 'orchestrator', 'decision.made')) !== null);
  abort.abort();
  await sweeping;
  assert.ok(told.includes('damaged'), told.join());
});

test.run();
