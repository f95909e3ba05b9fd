import { status } from '@loom/job';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { file, intake, limits, plan, request, World } from './support/world.ts';

const write = { calls: [{ name: 'write_artifact', args: { path: 'final/report.md', content: 'x' } }] };

test('a brief becomes a plan, side-by-side workers, a writer and a completed job', () => {
  const world = new World().submit();
  assert.is(status(world.job), 'planning');
  world.reply('a0', plan({ id: 'x' }, { id: 'y' }));
  assert.equal(world.open, ['a1-1-1', 'a2-1-1']);
  world.reply('a1', { text: 'one' }).reply('a2', { text: 'two' });
  assert.equal(world.open, ['a3-1-1']);
  world
    .reply('a3', write)
    .tools('completed', [file('final/report.md')])
    .reply('a3', { text: 'done' });
  assert.is(status(world.job), 'completed');
  assert.equal(world.job.ended?.body, { spent_micros: 0, agents: 4, steps: 5, artifacts: 1 });
  assert.ok(world.items.at(-1)?.startsWith('job.completed'));
});

test('agents wait for those that they need', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y', needs: ['x'] }));
  assert.equal(world.open, ['a1-1-1']);
  world.reply('a1', { text: 'one' });
  assert.equal(world.open, ['a2-1-1']);
});

test('a plan that cannot be followed is told back to the planner', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x', needs: ['y'] }, { id: 'y', needs: ['x'] }));
  assert.match(world.job.calls.get('a0-1-0-1')?.result?.text ?? '', /circle/);
  assert.equal(world.open, ['a0-2-1']);
  world.reply('a0', plan(...'abcdef'.split('').map((id) => ({ id }))));
  assert.match(world.job.calls.get('a0-2-0-1')?.result?.text ?? '', /At most 5/);
  world.reply('a0', plan({ id: 'x', files: ['nothing.csv'] }));
  assert.match(world.job.calls.get('a0-3-0-1')?.result?.text ?? '', /no attachment/);
});

test('a planner that talks instead of planning is told so, and then the job fails', () => {
  const world = new World().submit();
  for (const n of [1, 2, 3]) world.reply('a0', { text: `talk ${n}` });
  assert.is(status(world.job), 'failed');
  assert.ok(world.items.includes('job.failed 0'));
});

test('a failed agent does not sink a job that can do without it', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  world.reply('a1', { failure: 'terminal' }).reply('a2', { text: 'two' });
  assert.equal(world.open, ['a3-1-1']);
});

test('a required agent that fails, or all workers failing, ends the job as failed', () => {
  const required = new World()
    .submit()
    .reply('a0', plan({ id: 'x', required: true }, { id: 'y' }))
    .reply('a1', { failure: 'terminal' });
  assert.equal(required.open, ['a2-1-1'], 'the terminal fact waits for the slot in flight');
  assert.is(status(required.reply('a2', { text: 'late' }).job), 'failed');
  const all = new World()
    .submit()
    .reply('a0', plan({ id: 'x' }))
    .reply('a1', { failure: 'terminal' });
  assert.is(status(all.job), 'failed');
});

test('a transient failure is tried again after its back-off, so often and no more', () => {
  const world = new World().submit();
  for (const attempt of [1, 2]) {
    world.reply('a0', { failure: 'transient', cost: 5 });
    assert.equal(world.open, []);
    world.fire('retry');
    assert.equal(world.open, [`a0-1-${attempt + 1}`]);
  }
  world.reply('a0', { failure: 'rate_limited' });
  assert.equal(world.open, []);
  assert.is(world.fire('parked').job.ended?.type, 'job.failed');
  assert.is(world.job.money.settled, 10, 'failed attempts are paid for');
});

test('a lost worker costs its whole reservation and another attempt is made', () => {
  const world = new World().submit();
  const { reserved } = world.job.money;
  assert.ok(reserved > 0);
  world.fire('step').fire('retry');
  assert.is(world.job.money.settled, reserved);
  assert.equal(world.open, ['a0-1-2']);
});

test('a step that does not fit the budget asks instead of running, and goes on when there is more', () => {
  const world = new World({ defaultBudgetMicros: 12_000 }).submit();
  assert.is(status(world.job), 'waiting_budget');
  assert.ok(world.items.includes('budget.exhausted 1'));
  world.ask({ type: 'job.budget-requested', key: 'r1', body: { budget_micros: 1_000_000, request } });
  assert.equal(world.open, ['a0-1-1']);
});

test('a lowered cap never falls below what is spent or promised', () => {
  const world = new World().submit();
  const promised = world.job.money.reserved;
  world.ask({ type: 'job.budget-requested', key: 'r1', body: { budget_micros: 1, request } });
  assert.is(world.job.money.cap, promised);
  assert.ok(world.overshoot <= 0);
});

test('policy refuses what an agent may not call and tells the model why', () => {
  const world = new World().submit().reply('a0', {
    calls: [
      { name: 'run_code', args: { language: 'python', code: '1' } },
      { name: 'rm_rf', args: {} },
    ],
  });
  assert.equal(
    world.items.filter((item) => item.startsWith('tool.refused')),
    ['tool.refused a0-1-0-1', 'tool.refused a0-1-1-1'],
  );
  const [refused] = world.facts
    .flatMap(({ items }) => items)
    .filter(({ type, key }) => type === 'tool.refused' && key === 'a0-1-1-1');
  assert.is(
    refused?.type === 'tool.refused' && refused.body.tool,
    'unknown',
    'a made-up name is content and stays out of the clear',
  );
});

test('limits on fan-out, steps and depth hold', () => {
  const many = Array.from({ length: 7 }, () => ({ name: 'list_files', args: {} }));
  const world = new World()
    .submit()
    .reply('a0', plan({ id: 'x' }))
    .reply('a1', { calls: many });
  assert.is(world.open.length, limits.max_fan_out);
  for (let step = 1; step < limits.max_steps; step += 1)
    world.tools().reply('a1', { calls: [{ name: 'list_files', args: {} }] });
  world.tools();
  assert.is(world.job.agents.get('a1')?.finished?.code, 'step_limit');
  const deep = new World().submit().reply('a0', plan({ id: 'x' }));
  const delegate = { calls: [{ name: 'delegate', args: { role: 'r', task: 't' } }] };
  deep.reply('a1', delegate).reply('a3', delegate);
  assert.is(deep.job.calls.get('a3-1-0-1')?.result?.code, 'depth');
});

test("a helper's result answers the call that delegated to it", () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }));
  world.reply('a1', { calls: [{ name: 'delegate', args: { role: 'r', task: 't' } }] });
  assert.equal(world.open, ['a3-1-1']);
  world.reply('a3', { text: 'found it' });
  assert.is(world.job.calls.get('a1-1-0-1')?.result?.text, 'found it');
  assert.equal(world.open, ['a1-2-1']);
});

test('a question waits for its answer', () => {
  const world = new World().submit().reply('a0', { calls: [{ name: 'ask_user', args: { question: 'Which year?' } }] });
  assert.is(status(world.job), 'waiting_input');
  world.ask({ type: 'message.posted', key: 'm1', body: { text: '2026', in_reply_to: 'a0-1-0-1', request } });
  assert.equal(world.open, ['a0-2-1']);
  assert.is(world.job.calls.get('a0-1-0-1')?.result?.text, '2026');
});

test('cancel lets the steps in flight finish and asks for no more', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  world.ask({ type: 'job.cancel-requested', key: '0', body: { request } });
  assert.is(status(world.job), 'running');
  world.reply('a1', write).reply('a2', { text: 'two' });
  assert.is(status(world.job), 'cancelled');
  assert.not(world.items.some((item) => item.startsWith('tool.requested')));
});

test('kill raises the epoch at once and settles what nobody settles', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  world.ask({ type: 'job.kill-requested', key: '0', body: { agent: null, request } });
  assert.is(world.job.epoch, 1);
  world.reply('a1', { outcome: 'refused' });
  assert.is(status(world.job), 'running');
  world.fire('halt');
  assert.is(status(world.job), 'cancelled');
  assert.is(world.job.money.reserved, 0);
});

test('killing one agent leaves the others alone', () => {
  const world = new World().submit().reply('a0', plan({ id: 'x' }, { id: 'y' }));
  world.ask({ type: 'job.kill-requested', key: 'a1', body: { agent: 'a1', request } });
  world.reply('a1', { outcome: 'refused' });
  assert.is(world.job.agents.get('a1')?.finished?.outcome, 'killed');
  world.reply('a2', { text: 'two' });
  assert.equal(world.open, ['a3-1-1']);
});

test('prohibited briefs and empty ones are refused before any model is called', () => {
  const bots = new World().submit({ brief: 'Build a chatbot that pretends to be a real person on dating sites.' });
  assert.equal(
    [status(bots.job), bots.job.ended?.type === 'job.refused' && bots.job.ended.body.code],
    ['refused', 'prohibited_use'],
  );
  const empty = new World().submit({ brief: ' ?! ' });
  assert.is(empty.job.ended?.type === 'job.refused' && empty.job.ended.body.code, 'ambiguous');
  assert.not(empty.items.some((item) => item.startsWith('step.requested')));
});

test('the planner may decline, with a reason code', () => {
  const world = new World()
    .submit()
    .reply('a0', { calls: [{ name: 'decline', args: { code: 'needs_human', reason: 'A hiring decision.' } }] });
  assert.is(status(world.job), 'refused');
});

test('a model that is not set up fails the job with the names that are', () => {
  const world = new World().submit({ models: { worker: 'gpt-99' } });
  assert.is(world.job.ended?.type === 'job.failed' && world.job.ended.body.code, 'unknown_model');
});

test('only so many steps are in flight at once', () => {
  const world = new World().submit().reply('a0', plan({ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }, { id: 'e' }));
  assert.is(world.open.length, limits.max_in_flight);
  world.reply('a1', { text: '.' });
  assert.is(world.open.length, limits.max_in_flight);
});

test('a job silent for the whole period ends as failed, one that spoke meanwhile does not', () => {
  const world = new World().submit().reply('a0', { calls: [{ name: 'ask_user', args: { question: '?' } }] });
  world.now += 1000;
  world.ask({ type: 'message.posted', key: 'm1', body: { text: 'wait', in_reply_to: null, request } });
  world.fire('silence');
  assert.is(status(world.job), 'waiting_input');
  world.fire('silence');
  assert.is(world.job.ended?.type === 'job.failed' && world.job.ended.body.code, 'silent');
});

test('nothing moves after the terminal fact', () => {
  const world = new World().submit({ brief: '!' });
  const facts = world.facts.length;
  world.ask({ type: 'job.cancel-requested', key: '0', body: { request } });
  assert.is(world.facts.length, facts + 1);
});

test('the terms of a job stay what they were when it was taken in', () => {
  const world = new World({ limits: { ...limits, max_steps: 2 } }).submit();
  assert.is(world.job.accepted?.limits.max_steps, 2);
  assert.equal(world.job.accepted?.prices, intake.prices);
});

test.run();
