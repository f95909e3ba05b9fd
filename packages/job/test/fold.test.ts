import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  asked,
  conversation,
  emptyJob,
  evolve,
  halted,
  JobCache,
  pendingDispatches,
  stateHash,
  status,
} from '@loom/job';
import type { Fact } from '@loom/log';
import { history } from './history.ts';

const at = { tenant: 't1', stream: 'job_0test' };
const fold = (facts: readonly Fact[]) => facts.reduce(evolve, emptyJob(at));

/** A log that shows `hidden` facts fewer at its first reads, as a lagging replica does. */
function lagging(facts: readonly Fact[], reads: readonly number[]) {
  let read = 0;
  return {
    reads: () => read,
    async *read(_: unknown, { after = 0 }: { after?: number } = {}) {
      const hidden = reads[read++] ?? 0;
      for (const fact of facts.slice(0, facts.length - hidden)) if (fact.seq > after) yield fact;
    },
  };
}

test('a fact that was folded before changes nothing', () => {
  const facts = history();
  const once = fold(facts);
  const twice = [...facts, ...facts].reduce(evolve, emptyJob(at));
  assert.equal(twice, once);
});

test('the chain depends on every fact and on their order', () => {
  const facts = history();
  const altered = facts.map((fact, index) => (index === 2 ? { ...fact, sum: `${fact.sum}x` } : fact));
  assert.is.not(fold(altered).chain, fold(facts).chain);
  assert.is(fold(facts.slice(0, 4)).chain.length, 64);
});

test('the fence is the last sequence under the orchestrator, dispatches included', () => {
  const facts = history();
  const last = facts.findLast(({ source }) => source === 'orchestrator');
  assert.is(fold(facts).orchestratorSeq, last?.seq);
});

test('a request in a decision of several items is pending until its dispatch is folded', () => {
  const facts = history();
  const dispatch = facts.findIndex(({ decision }) => decision !== null);
  assert.equal(
    pendingDispatches(fold(facts.slice(0, dispatch))).map(({ key }) => key),
    ['a1-1-1'],
  );
  assert.equal(pendingDispatches(fold(facts.slice(0, dispatch + 1))), []);
});

test('a dispatch moves nothing but its own mark, so it may lie one place later', () => {
  const facts = history();
  const at = facts.findIndex(({ decision }) => decision !== null);
  const [sent, next] = [facts[at], facts[at + 1]];
  assert.ok(sent && next);
  const swapped = facts.with(at, { ...next, seq: sent.seq }).with(at + 1, { ...sent, seq: next.seq });
  assert.is(stateHash(fold(swapped)), stateHash(fold(facts)));
});

test('money is reserved by the request and settled by the outcome, once', () => {
  const facts = history();
  const settled = facts.findLastIndex(({ type }) => type === 'step.settled');
  const before = fold(facts.slice(0, settled)).money;
  const after = fold(facts.slice(0, settled + 1)).money;
  assert.equal([before.reserved, before.settled, after.reserved, after.settled], [500, 30, 0, 70]);
});

test('the conversation of a step is the same from a state that was folded further', () => {
  const facts = history();
  const request = facts.findLast(({ type }) => type === 'step.requested');
  const moment = { agent: 'a1', step: 1, upto: (request?.seq ?? 0) - 1, model: 'm', maxTokens: 100 };
  const then = conversation(fold(facts.slice(0, request?.seq)), moment);
  assert.equal(conversation(fold(facts), moment), then);
  assert.match(then.messages[0]?.role === 'user' ? then.messages[0].text : '', /Count the rows/);
});

test('what a person adds later is not in an earlier step', () => {
  const job = fold(history());
  const moment = { agent: 'a1', step: 2, upto: job.seq, model: 'm', maxTokens: 100 };
  assert.match(JSON.stringify(conversation(job, moment).messages), /also the columns/);
  assert.not.match(JSON.stringify(conversation(job, { ...moment, step: 1, upto: 4 }).messages), /also the columns/);
});

test('the input bound is never below the bytes of what is sent', () => {
  const job = fold(history());
  const { request, inputBound } = asked(job, { agent: 'a1', step: 2, upto: job.seq, model: 'm', maxTokens: 100 });
  assert.ok(inputBound > Buffer.byteLength(JSON.stringify(request.messages)));
});

test('a cache answers only with a state that includes the sequence asked for', async () => {
  const facts = history();
  const log = lagging(facts, [3, 1, 1]);
  const job = await new JobCache(log).at(at, facts.length);
  assert.is(job.seq, facts.length);
  assert.is(log.reads(), 4);
});

test('turns of one job in one process never fold a fact twice', async () => {
  const facts = history();
  const cache = new JobCache(lagging(facts, []));
  const [one, two] = await Promise.all([cache.at(at, 1), cache.at(at, 5)]);
  assert.is(one, two);
  assert.is(one.facts, facts.length);
});

test('who asks for a job while it is read shares the next read, which shows what was appended until they asked', async () => {
  const facts = history();
  const log = lagging(facts, [facts.length - 1]);
  const cache = new JobCache(log);
  const first = cache.at(at, 1);
  await Promise.resolve();
  const others = Array.from({ length: 20 }, (_, i) => cache.at(at, (i % facts.length) + 1));
  await Promise.all([first, ...others, cache.at(at, facts.length)]);
  assert.is(log.reads(), 2);
  assert.is((await first).facts, facts.length);
});

test('a cache does not read the log again for a state that includes the sequence asked for', async () => {
  const facts = history();
  const log = lagging(facts, [1]);
  const cache = new JobCache(log);
  await cache.including(at, facts.length - 1);
  assert.is((await cache.including(at, facts.length - 1)).seq, facts.length - 1);
  assert.is(log.reads(), 1);
  assert.is((await cache.including(at, facts.length)).seq, facts.length);
  assert.is(log.reads(), 2);
});

test('work of a killed job, a passed epoch or a finished agent must not begin', () => {
  const job = fold(history());
  assert.is(halted(job, { agent: 'a1', epoch: 0 }), null);
  assert.is(halted({ ...job, epoch: 1 }, { agent: 'a1', epoch: 0 }), 'epoch_passed');
  assert.is(halted({ ...job, killRequested: true }, { agent: 'a1', epoch: 0 }), 'killed');
  assert.is(halted(job, { agent: 'a0', epoch: 0 }), 'killed');
  assert.is(status(job), 'running');
});

test.run();
