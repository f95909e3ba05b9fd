/** What a leased consumer was handed feeds the folds of those who handle it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Address } from '../../src/index.ts';
import { all, countReads, epoch, fence, job, submitted, until, world } from '../world.ts';

test('who has as much in hand as it may work on is still handed what its folds wait for', async () => {
  await using own = await world();
  const gateway = await own.log('gateway');
  const orchestrator = await own.log('orchestrator');
  const jobs = Array.from({ length: 24 }, () => job());
  for (const at of jobs) await gateway.append(at, submitted());
  const folded = new Map<string, readonly number[]>();
  const reads = countReads(orchestrator);
  const stop = new AbortController();
  const consuming = orchestrator.consume({
    service: 'orchestrator',
    open: 'head',
    width: 3,
    signal: stop.signal,
    handle: async (fact) => {
      const at: Address = { tenant: fact.tenant, stream: fact.stream };
      const { seq = 0 } = (await orchestrator.decide(at, [epoch('1')], fence(fact.seq, 0))) ?? {};
      const facts = await all(orchestrator.readFed(at, { after: fact.seq, atLeast: seq }));
      folded.set(at.stream, [seq, ...facts.map((one) => one.seq)]);
    },
  });
  await until(() => folded.size === jobs.length);
  stop.abort();
  await consuming;
  for (const { stream } of jobs) {
    const [decided, ...rest] = folded.get(stream)!;
    assert.equal(rest, [decided], 'each reads its own decision, once');
  }
  assert.is(reads(), 0);
});

test.run();
