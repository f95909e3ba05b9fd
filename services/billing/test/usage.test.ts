import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sum, usageOf } from '../src/domain/usage.ts';
import type { Usage } from '../src/domain/usage.ts';
import { called, closed, fact, settled, submitted } from './build.ts';

test('attempts of a step are one row: money and tokens add up, outcome and model are the last ones', () => {
  const rows = usageOf([
    fact({ seq: 1 }, settled({ attempt: 1, outcome: 'failed', cost_micros: 100, model: 'old' })),
    fact({ seq: 5 }, settled({ attempt: 2, cost_micros: 500, model: 'new' })),
  ]);
  assert.is(rows.length, 1);
  const { key, attempts, outcome, model, cost_micros, tokens_in, seq } = rows[0] as Usage;
  assert.equal(
    [key, attempts, outcome, model, cost_micros, tokens_in, seq],
    ['a1-1', 2, 'completed', 'new', 600, 200, 5],
  );
});

test('a call that lost its slot is waste on its step: it adds no attempt, no tokens and no charge', () => {
  const [row] = usageOf([fact({ seq: 1 }, called('a1-3-2', 70)), fact({ seq: 2 }, settled({ step: 3, attempt: 2 }))]);
  assert.equal(
    [row?.key, row?.attempts, row?.waste_micros, row?.cost_micros, row?.tokens_in, row?.model],
    ['a1-3', 1, 70, 500, 100, 'm'],
  );
});

test('a workspace is a row of its own with its seconds', () => {
  const [row] = usageOf([fact({ seq: 1 }, closed('a2-4-0-1', 12))]);
  assert.equal([row?.kind, row?.key, row?.agent, row?.seconds, row?.attempts], ['workspace', 'a2-4-0-1', 'a2', 12, 0]);
});

test('a decision of several items counts each, and its dispatches count nothing', () => {
  const decision = fact({ seq: 1 }, settled({ step: 1 }), settled({ step: 2 }));
  const dispatch = fact({ seq: 2 });
  assert.equal(
    usageOf([decision, dispatch]).map((row) => row.key),
    ['a1-1', 'a1-2'],
  );
});

test('facts that cost nothing leave no row', () => {
  assert.equal(usageOf([fact({ seq: 1 }, submitted('e1'))]), []);
});

test('cutting the facts anywhere and summing the parts gives the same rows', () => {
  const item = fc.oneof(
    fc.record({ step: fc.integer({ min: 1, max: 3 }), cost_micros: fc.nat(1_000) }).map((body) => settled(body)),
    fc.integer({ min: 1, max: 3 }).chain((step) => fc.nat(50).map((cost) => called(`a1-${step}-1`, cost))),
  );
  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), fc.nat(20), (items, cut) => {
      const facts = items.map((one, index) => fact({ seq: index + 1 }, one));
      const merged = new Map(usageOf(facts.slice(0, cut)).map((row) => [row.key, row]));
      for (const row of usageOf(facts.slice(cut))) {
        const before = merged.get(row.key);
        merged.set(row.key, before === undefined ? row : sum(before, row));
      }
      assert.equal([...merged.values()], usageOf(facts));
    }),
  );
});

test.run();
