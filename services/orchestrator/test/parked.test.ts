import { status, view } from '@loom/job';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { timers } from '../src/domain/timers.ts';
import { limits, plan, request, World } from './support/world.ts';

/** Fails the step that an agent is at until nobody tries it again. */
function wearOut(world: World, agent: string): World {
  for (let attempt = 1; attempt < limits.max_attempts; attempt += 1)
    world.reply(agent, { failure: 'transient', cost: 5 }).fire('retry');
  return world.reply(agent, { failure: 'rate_limited', cost: 5 });
}

const agentOf = (world: World, id: string) => view(world.job).agents.find((agent) => agent.id === id);
const reserved = ({ job }: World): number => job.money.reserved;

test('a step out of tries is parked: nothing is reserved for it, and others go on', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  const both = reserved(world);
  wearOut(world, 'a1');
  assert.is(reserved(world), both / 2);
  assert.equal([agentOf(world, 'a1')?.status, world.job.agents.get('a1')?.finished], ['parked', null]);
  world.reply('a2', { text: 'two' });
  assert.equal([world.open, status(world.job), reserved(world)], [[], 'running', 0]);
  assert.is(world.job.money.settled, 15, 'the attempts are paid for');
});

test('one that nobody looks at fails its agent when its time is over', () => {
  const world = wearOut(new World().submit(), 'a0');
  const parked = timers(world.job).find(({ kind }) => kind === 'parked');
  assert.equal(parked, { kind: 'parked', key: 'a0-1-3', due: world.now + limits.parked_ms });
  world.fire('parked');
  assert.equal([status(world.job), world.job.agents.get('a0')?.finished?.code], ['failed', 'retries_exhausted']);
});

test('redriven it is tried once more, with a reservation of its own; a second word on the same failure says nothing', () => {
  const world = wearOut(new World().submit(), 'a0').resolve('a0-1-3', 'redriven');
  assert.equal([world.open, agentOf(world, 'a0')?.status], [['a0-1-4'], 'thinking']);
  assert.ok(reserved(world) > 0);
  const decided = world.items.filter((item) => item.startsWith('step.requested')).length;
  world.resolve('a0-1-3', 'redriven').resolve('a0-1-3', 'dropped');
  assert.is(world.items.filter((item) => item.startsWith('step.requested')).length, decided);
  world.reply('a0', plan({ id: 'x' }));
  assert.equal(world.open, ['a1-1-1']);
});

test('what fails again is parked again, with time of its own', () => {
  const world = wearOut(new World().submit(), 'a0').resolve('a0-1-3', 'redriven');
  world.now += 1000;
  world.reply('a0', { failure: 'transient' });
  assert.equal(
    timers(world.job).filter(({ kind }) => kind !== 'silence'),
    [{ kind: 'parked', key: 'a0-1-4', due: world.now + limits.parked_ms }],
  );
  world.resolve('a0-1-3', 'redriven');
  assert.equal(world.open, [], 'that failure had its redrive');
  assert.equal(world.resolve('a0-1-4', 'redriven').open, ['a0-1-5']);
});

test('dropped it fails its agent, with the reason', () => {
  const world = wearOut(new World().submit(), 'a0').resolve('a0-1-3', 'dropped', 'the account is closed');
  const { code, reason } = world.job.agents.get('a0')?.finished ?? {};
  assert.equal(
    [code, reason],
    [
      'retries_exhausted',
      '3 attempts failed, the last with rate_limited. An operator gave it up: the account is closed',
    ],
  );
  assert.is(status(world.job), 'failed');
});

test('a failure that does not pass is not parked, nor is an attempt that another follows', () => {
  const terminal = new World().submit().reply('a0', { failure: 'terminal' });
  assert.is(status(terminal.job), 'failed');
  const early = new World().submit().reply('a0', { failure: 'transient' });
  assert.equal(early.resolve('a0-1-1', 'redriven').open, [], 'its back-off stands');
  assert.equal(early.fire('retry').open, ['a0-1-2']);
});

test('no word counts before the failure', () => {
  const world = new World().submit();
  for (const attempt of [1, 2]) world.reply('a0', { failure: 'transient', cost: attempt }).fire('retry');
  world.resolve('a0-1-3', 'redriven').reply('a0', { failure: 'transient' });
  assert.is(agentOf(world, 'a0')?.status, 'parked');
});

test('cancel and kill end a job that waits so at once, and an agent that does', () => {
  for (const type of ['job.cancel-requested', 'job.kill-requested'] as const) {
    const world = wearOut(new World().submit(), 'a0');
    const body = type === 'job.kill-requested' ? { agent: null, request } : { request };
    world.ask({ type, key: '0', body } as Parameters<World['ask']>[0]);
    assert.equal([status(world.job), reserved(world)], ['cancelled', 0]);
  }
  const one = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  wearOut(one, 'a1').ask({ type: 'job.kill-requested', key: 'a1', body: { agent: 'a1', request } });
  assert.is(one.job.agents.get('a1')?.finished?.outcome, 'killed');
});

test('a redrive that does not fit the budget asks for more, and then goes', () => {
  const world = wearOut(new World().submit(), 'a0');
  world.ask({ type: 'job.budget-requested', key: 'b1', body: { budget_micros: 1_000, request } });
  world.resolve('a0-1-3', 'redriven');
  assert.equal([status(world.job), world.open], ['waiting_budget', []]);
  assert.equal(
    timers(world.job).map(({ kind }) => kind),
    ['silence'],
  );
  world.ask({ type: 'job.budget-requested', key: 'b2', body: { budget_micros: 1_000_000, request } });
  assert.equal(world.open, ['a0-1-4']);
  assert.ok(world.overshoot <= 0);
});

test('under terms that park nothing, as older jobs have, it fails at once', () => {
  const world = wearOut(new World({ limits: { ...limits, parked_ms: 0 } }).submit(), 'a0');
  assert.equal([status(world.job), world.job.agents.get('a0')?.finished?.code], ['failed', 'retries_exhausted']);
});

test.run();
