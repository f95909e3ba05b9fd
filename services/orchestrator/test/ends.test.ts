import { view } from '@loom/job';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits, plan, World } from './support/world.ts';

test('good ends that let nobody go on wait for the next decision, others do not', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }, { id: 'z', needs: ['x'] }));
  world.reply('a1', { text: 'one' });
  assert.equal(world.open, ['a2-1-1', 'a3-1-1'], 'who waited for it begins at once');
  const before = world.facts.length;
  world.reply('a3', { text: 'three' });
  assert.is(world.facts.length, before + 1, 'only its outcome');
  assert.is(view(world.job).agents.find(({ id }) => id === 'a3')?.status, 'done');
  world.reply('a2', { text: 'two' });
  assert.equal(
    world.facts.at(-1)?.items.map(({ type, key }) => `${type} ${key}`),
    ['agent.finished a2', 'agent.finished a3', 'step.requested a4-1-1'],
  );
  assert.equal(world.open, ['a4-1-1']);
  const failing = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  assert.ok(failing.reply('a1', { failure: 'terminal' }).job.agents.get('a1')?.finished, 'a bad end is told at once');
});

test('the plan and the first steps are one decision, the end of what the job required begins nobody', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x', required: true }, { id: 'y', needs: ['x'] }));
  assert.equal(
    world.facts
      .at(-1)
      ?.items.map(({ type, key }) => `${type} ${key}`)
      .filter((item) => !item.startsWith('agent.finished')),
    ['agent.spawned a1', 'agent.spawned a2', 'agent.spawned a3', 'step.requested a1-1-1'],
  );
  world.reply('a1', { failure: 'terminal' });
  assert.is(world.items.filter((item) => item.startsWith('step.requested')).length, 2, 'the planner and x, not y');
});

test('agents that delegate in the same decision get helpers of their own, within the limit', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }, { id: 'z' }));
  const delegate = (task: string) => ({ calls: [{ name: 'delegate', args: { role: 'r', task } }] });
  world.answer('a1', delegate('one')).answer('a2', delegate('two')).reply('a3', delegate('three'));
  const helpers = [...world.job.agents.values()].filter(({ spawned }) => spawned.call !== null);
  assert.equal(
    helpers.map(({ id, spawned }) => [id, spawned.parent, spawned.task]),
    [
      ['a5', 'a1', 'one'],
      ['a6', 'a2', 'two'],
      ['a7', 'a3', 'three'],
    ],
  );
  const full = new World({ limits: { ...limits, max_agents: 6 } });
  full.submit().reply('a0', plan({ id: 'x' }, { id: 'y' }, { id: 'z' }));
  full.answer('a1', delegate('one')).reply('a2', delegate('two'));
  assert.is(full.job.agents.size, 6);
  assert.is(full.job.calls.get('a2-1-0-1')?.result?.code, 'too_many_agents');
});

test.run();
