import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asked, emptyJob } from '@loom/job';
import type { Agent, Call, Job, Moment, Turn } from '@loom/job';

/** From 0 to below a number. */
type Draw = (below: number) => number;

/** Holds for whatever is drawn. */
const always = (check: (draw: Draw) => void, numRuns = 300): void =>
  fc.assert(
    fc.property(fc.gen(), (g) => check((below) => g(fc.nat, below - 1))),
    { numRuns },
  );

const callOf = (draw: Draw, n: number, index: number): Call =>
  ({
    key: `a1-${n}-${index}`,
    id: `call_${index}`,
    name: 'list_files',
    args: '{}',
    where: draw(3) === 0 ? 'person' : 'runner',
    result: draw(8) === 0 ? null : { text: `result „${n}“`, failed: draw(4) === 0 },
  }) as Call;

function turnOf(draw: Draw, n: number): Turn {
  const calls = Array.from({ length: draw(3) }, (_, index) => callOf(draw, n, index));
  const reply = draw(10) === 0 ? null : ({ text: `turn ${n}\n"${'ä'.repeat(draw(9))}"` } as Turn['reply']);
  return { n, attempts: [], reply, upto: n * 10, calls };
}

/** A job of one agent, with people who add to the brief and answer questions. */
function jobOf(draw: Draw): Job {
  const job = emptyJob({ tenant: 't1', stream: 'job_0test' });
  const spawned = { agent: 'a1', role: 'counter', task: 'Count.', kind: 'worker', files: [], needs: [], model: 'm' };
  const turns = Array.from({ length: 1 + draw(9) }, (_, i) => turnOf(draw, i + 1));
  const agent = { id: 'a1', spawned, turns, finished: null, killRequested: false } as unknown as Agent;
  job.agents.set('a1', agent);
  for (const call of turns.flatMap(({ calls }) => calls)) job.calls.set(call.key, call);
  for (let seq = 1; seq < 100; seq += 1 + draw(30)) {
    const inReplyTo = draw(2) === 0 ? null : `a1-${1 + draw(9)}-0`;
    job.messages.push({ key: `m${seq}`, seq, time: 0, text: `said at ${seq}`, inReplyTo });
  }
  return job;
}

const momentAt = (step: number): Moment => ({ agent: 'a1', step, upto: step * 10 + 5, model: 'm', maxTokens: 9 });

/** What nobody asked anything about before. */
const afresh = (job: Job): Job => structuredClone(job);

test('a step says the same whatever was asked about before, in any order', () => {
  always((draw) => {
    const job = jobOf(draw);
    for (let ask = 0; ask < 12; ask++) {
      const moment = momentAt(1 + draw(11));
      assert.equal(asked(job, moment), asked(afresh(job), moment));
    }
  });
});

test('a result that comes later is told from then on', () => {
  always((draw) => {
    const job = jobOf(draw);
    const open = { id: 'call_9', name: 'list_files', args: '{}', where: 'runner', result: null } as unknown as Call;
    const reply = { text: 'last' } as Turn['reply'];
    job.agents.get('a1')?.turns.push({ n: 10, attempts: [], reply, upto: 100, calls: [open] });
    const text = (): string => JSON.stringify(asked(job, momentAt(11)).request.messages);
    assert.not.match(text(), /came at last/);
    open.result = { text: 'it came at last', failed: false, outcome: 'completed', code: '' };
    assert.match(text(), /came at last/);
  }, 50);
});

test('the bound is the bytes of every part, and what stands around them', () => {
  always((draw) => {
    const job = jobOf(draw);
    for (let step = 1; step <= 10; step++) {
      const { request, inputBound } = asked(job, momentAt(step));
      const { messages, tools, system } = request;
      const bytes = [...messages, tools, system].reduce((sum, one) => sum + Buffer.byteLength(JSON.stringify(one)), 0);
      assert.is(inputBound, bytes + 2_053 + messages.length + 64 * (messages.length + tools.length));
    }
  }, 50);
});

test('what was said before is not written over by the next step', () => {
  always((draw) => {
    const job = jobOf(draw);
    const first = asked(job, momentAt(4)).request;
    const then = JSON.stringify(first);
    for (let step = 5; step <= 10; step++) asked(job, momentAt(step));
    assert.is(JSON.stringify(first), then);
  }, 50);
});

test.run();
