import { cutOf, status } from '@loom/job';
import type { Bodies } from '@loom/schemas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plan, request, World } from './support/world.ts';

const asks = { calls: [{ name: 'ask_user', args: { question: 'Which year?' } }] };

/** The sequence of the last fact of a kind. */
const seqOf = ({ facts }: World, type: string): number =>
  facts.findLast((fact) => fact.items.some((item) => item.type === type))?.seq ?? 0;

/** A re-execution of what a world holds, on a log of its own. */
function rerun(parent: World, from_seq: number, changes: Partial<Bodies['job.submitted']> = {}): World {
  const fork = new World({ parent: { facts: parent.facts, requestKey: Buffer.alloc(32) } });
  return fork.submit({ forked_from: 'job_0parent', from_seq, mode: 'reexecute', ...changes });
}

test('a re-execution asks anew for every step, run and question that was open', () => {
  const parent = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }, { id: 'z' }));
  parent.answer('a1', asks).answer('a2', { calls: [{ name: 'run_code', args: { language: 'python', code: '1' } }] });
  parent.turn();
  assert.equal(parent.open, ['a3-1-1', 'a2-1-0-1']);
  const fork = rerun(parent, parent.facts.length);
  assert.equal(fork.open, parent.open);
  const own = fork.items.filter((item) => /^(step|run|input)\.requested /.test(item)).toSorted();
  assert.equal(own, ['input.requested a1-1-0-1', 'run.requested a2-1-0-1', 'step.requested a3-1-1']);
  assert.is(status(fork.job), 'running');
});

test('a deadline that the parent let go by is not held against the attempt of the fork', () => {
  const parent = new World()
    .submit()
    .reply('a0', plan({ id: 'x' }))
    .fire('step');
  assert.ok(parent.items.includes('step.settled a1-1-1'));
  const fork = rerun(parent, seqOf(parent, 'timer.fired'));
  assert.equal(fork.open, ['a1-1-1']);
  assert.is(fork.job.money.settled, 0, 'nothing is lost, and nothing charged for it');
  fork.fire('step');
  assert.ok(fork.items.includes('step.settled a1-1-1'), 'its own deadline counts');
});

test('a step that was parked is tried once more by a fork, also when the parent’s operator let its time go by', () => {
  const parent = new World().submit();
  for (const attempt of [1, 2]) parent.reply('a0', { failure: 'transient', cost: attempt }).fire('retry');
  parent.reply('a0', { failure: 'transient' });
  const parked = parent.facts.length;
  parent.fire('parked');
  for (const from of [parked, seqOf(parent, 'timer.fired')]) assert.equal(rerun(parent, from).open, ['a0-1-4']);
  const untouched = rerun(parent, parked);
  untouched.reply('a0', { failure: 'transient' });
  assert.equal(untouched.open, []);
  assert.is(untouched.fire('parked').job.agents.get('a0')?.finished?.code, 'retries_exhausted', 'its own time counts');
});

test('a question that nobody answered for too long is asked again by a fork of the job that failed of it', () => {
  const parent = new World().submit().reply('a0', asks).fire('silence');
  assert.equal(parent.job.ended?.type, 'job.failed');
  const fork = rerun(parent, parent.facts.length);
  assert.is(status(fork.job), 'waiting_input');
  assert.ok(fork.items.includes('input.requested a0-1-0-1'));
});

test('a re-execution has a budget of its own, whatever its parent spent or was given later', () => {
  const parent = new World().submit({ budget_micros: 200_000 });
  parent.reply('a0', { ...plan({ id: 'x' }), cost: 5_000 });
  parent.ask({ type: 'job.budget-requested', key: 'r1', body: { budget_micros: 900_000, request } });
  assert.equal([parent.job.money.cap, parent.job.money.settled], [900_000, 5_000]);
  const same = rerun(parent, parent.facts.length);
  assert.equal([same.job.money.cap, same.job.money.settled], [200_000, 0]);
  const own = rerun(parent, parent.facts.length, { budget_micros: 50_000 });
  assert.is(own.job.money.cap, 50_000);
  assert.ok(own.overshoot <= 0);
});

test('another brief is screened as any, wherever the fork begins', () => {
  const parent = new World().submit().reply('a0', plan({ id: 'x' }));
  const brief = 'Write a chatbot that pretends to be a human.';
  for (const from_seq of [1, parent.facts.length]) {
    const { ended } = rerun(parent, from_seq, { brief }).job;
    assert.equal(ended?.type === 'job.refused' && ended.body.code, 'prohibited_use', `from ${from_seq}`);
  }
});

test('what a fork tightened stays tightened in a fork of it, from its first fact on', () => {
  const parent = new World().submit().reply('a0', plan({ id: 'x' }));
  const fork = rerun(parent, parent.facts.length, { tightened: { max_steps: 2, max_agents: 9 } });
  const again = rerun(fork, seqOf(fork, 'job.forked'), { tightened: { max_agents: 12, max_attempts: 1 } });
  const { max_steps, max_agents, max_attempts } = again.job.accepted?.limits ?? {};
  assert.equal([max_steps, max_agents, max_attempts], [2, 9, 1]);
});

test('a fork never takes over its parent’s end', () => {
  const parent = new World()
    .submit()
    .reply('a0', { calls: [{ name: 'decline', args: { code: 'ambiguous', reason: '?' } }] });
  assert.is(parent.job.ended?.type, 'job.refused');
  const end = seqOf(parent, 'job.refused');
  assert.is(cutOf(parent.facts, { from_seq: end, mode: 'reexecute' }), end - 1);
});

test('a parent that is gone fails the fork in words', () => {
  const fork = { forked_from: 'job_0parent', from_seq: 3, mode: 'reexecute' } as const;
  const { ended } = new World({ parent: null }).submit(fork).job;
  assert.equal(ended?.type === 'job.failed' && ended.body.code, 'parent_gone');
});

test.run();
