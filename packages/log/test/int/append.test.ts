import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectLog } from '../../src/index.ts';
import type { Log } from '../../src/index.ts';
import { freeze } from '@loom/test';
import { all, epoch, failing, fence, job, message, passwordOf, run, submitted, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
}
const test = suite<Context>('append');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

test('of fifty that race for one place one wins, and all learn who', async ({ gateway }) => {
  const at = job();
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => gateway.append(at, message('m1', `text ${i}`))),
  );
  assert.is(results.filter(({ won }) => won).length, 1);
  assert.is(new Set(results.map(({ seq }) => seq)).size, 1);
  assert.is((await all(gateway.read(at))).length, 1);
});

test('an append that is repeated is the same success, in whatever process', async ({ gateway, world: own }) => {
  const at = job();
  const first = await gateway.append(at, submitted());
  const other = await own.log('gateway');
  assert.equal(await other.append(at, submitted()), first);
  assert.equal(await other.append(at, submitted('Something else.')), { ...first, won: false });
});

test('what does not belong to the act does not make it another', async ({ gateway }) => {
  const at = job();
  const draft = message('m1');
  const first = await gateway.append(at, draft);
  const again = {
    ...draft,
    body: { ...draft.body, request: { action: 'x', target: 'y', person: 'user_1', ip: '::1', user_agent: 'z' } },
  };
  assert.equal(await gateway.append(at, again as typeof draft), first);
});

test('a job is submitted before anything else is in it, or not at all', async ({ gateway }) => {
  const at = job();
  await gateway.append(at, message('m1'));
  assert.is((await gateway.append(at, submitted())).won, false);
  assert.is((await all(gateway.read(at))).length, 1);
});

test('of twenty deciders with one fence one gets through', async ({ orchestrator, gateway }) => {
  const at = job();
  const { seq } = await gateway.append(at, submitted());
  const drafts = Array.from({ length: 20 }, (_, i) =>
    i % 2 === 0 ? [epoch(`${i}`)] : [epoch(`${i}`), run(`a${i}-1-0-1`)],
  );
  const results = await Promise.all(drafts.map((some) => orchestrator.decide(at, some, fence(seq, 0))));
  assert.is(results.filter((one) => one !== null).length, 1);
  assert.is((await all(gateway.read(at, { after: seq }))).length, 1);
});

test('the same decision again is the same success; another with the old fence is not', async ({
  orchestrator,
  world: own,
}) => {
  const at = job();
  const first = await orchestrator.decide(at, [epoch('1'), run('a1-1-0-1')], fence(0, 0));
  const other = await own.log('orchestrator');
  assert.equal(await other.decide(at, [epoch('1'), run('a1-1-0-1')], fence(0, 0)), first);
  assert.is(await other.decide(at, [epoch('1', 2), run('a1-1-0-1')], fence(0, 0)), null);
  assert.is(await other.decide(at, [epoch('2')], fence(0, 0)), null);
  assert.ok(await other.decide(at, [epoch('2')], fence(first!.seq, first!.seq)));
});

test('a fence is moved by the orchestrator alone', async ({ orchestrator, gateway }) => {
  const at = job();
  const first = await orchestrator.decide(at, [epoch('1')], fence(0, 0));
  await gateway.append(at, message('m1'));
  assert.ok(await orchestrator.decide(at, [epoch('2')], fence(first!.seq, first!.seq)));
});

test('a decision of 201 items is refused, one of 200 is one fact', async ({ orchestrator }) => {
  const at = job();
  const drafts = Array.from({ length: 201 }, (_, i) => run(`a${i}-1-0-1`));
  assert.is(await failing(orchestrator.decide(at, drafts, fence(0, 0))), 'too_many_items');
  const decided = await orchestrator.decide(at, drafts.slice(1), fence(0, 0));
  const [fact] = await all(orchestrator.read(at));
  assert.is(fact!.items.length, 200);
  assert.is(fact!.items[7]!.id, `${decided!.seq}.7`);
});

test('a dispatch says byte for byte what its decision carries, once, and counts for nothing', async ({
  orchestrator,
  world: own,
}) => {
  const at = job();
  const decided = await orchestrator.decide(at, [epoch('1'), run('a1-1-0-1')], fence(0, 0));
  const item = { seq: decided!.seq, type: 'run.requested', key: 'a1-1-0-1' } as const;
  const restarted = await own.log('orchestrator');
  await restarted.decide(at, [epoch('1'), run('a1-1-0-1')], fence(0, 0));
  const dispatched = await Promise.all([restarted, orchestrator, restarted].map((log) => log.dispatch(at, item)));
  assert.is(new Set(dispatched.map(({ seq }) => seq)).size, 1);
  assert.ok(dispatched.every(({ won }) => won));
  const [decision, dispatch, ...more] = await all(orchestrator.read(at));
  assert.equal(more, []);
  assert.equal(dispatch!.items, []);
  assert.is(dispatch!.decision, decided!.seq);
  assert.equal(dispatch!.said!.body, decision!.items[1]!.body);
  assert.is(await failing(orchestrator.dispatch(at, { ...item, key: 'a9-9-9-9' })), 'not_found');
});

test('who holds no keys writes what is free of content and reads what is clear', async ({ world: own, gateway }) => {
  await using bare = await connectLog({
    servers: own.url,
    user: 'billing',
    password: passwordOf('billing'),
    source: 'billing',
  });
  const at = job();
  await gateway.append(at, submitted());
  assert.ok(
    (
      await bare.append(at, {
        type: 'message.parked',
        key: 'x',
        body: { consumer: 'billing', stream: 's', seq: 1, subject: '', reason: 'r', cause: 'c', attempts: 1 },
      })
    ).won,
  );
  assert.is((await all(bare.readClear(at))).length, 2);
  assert.is(await failing(all(bare.read(at))), 'bad_seal');
  assert.is(await failing(bare.append(at, message('m1'))), 'bad_seal');
});

test('every append of a process that may not write there is refused, and at once', async ({ world: own }) => {
  await using wrong = await connectLog({
    servers: own.url,
    user: 'billing',
    password: passwordOf('billing'),
    source: 'orchestrator',
  });
  assert.is(await failing(wrong.append(job(), epoch('1'))), 'forbidden');
});

test('an append gives up after its patience when the log does not answer', async ({ world: own }) => {
  await using log = await connectLog({
    servers: own.url,
    user: 'orchestrator',
    password: passwordOf('orchestrator'),
    source: 'orchestrator',
    patience: 200,
  });
  try {
    await freeze(own.pid);
    assert.is(await failing(log.append(job(), epoch('1'))), 'log_unavailable');
  } finally {
    process.kill(own.pid, 'SIGCONT');
  }
});

test.run();
