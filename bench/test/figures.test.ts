import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { figures, median, quantile } from '../src/figures.ts';
import { Meter } from '../src/meter.ts';

const name = { bench: 'b', case: 'c', reference: 'r' };

test('a figure is the median of its rounds, its ratio the median of each round’s own pair', () => {
  const rounds = [
    { ours: { steps: 50 }, theirs: { steps: 100 } },
    { ours: { steps: 10 }, theirs: { steps: 10 } },
    { ours: { steps: 60 }, theirs: { steps: 80 } },
  ];
  const [steps] = figures(name, rounds);
  assert.equal([steps!.value, steps!.reference_value, steps!.ratio], [50, 80, 0.75]);
});

test('a ratio above one is better, of a latency too', () => {
  const [p50] = figures(name, [{ ours: { p50: 2 }, theirs: { p50: 4 } }]);
  assert.is(p50!.ratio, 2);
  assert.is(p50!.unit, 'ms');
});

test('medians and quantiles are of the values themselves', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
  assert.is(quantile([1, 2, 3, 4], 0.99), 4);
});

test('a wait is from the settling of a step to the next request of the same loop', () => {
  const meter = new Meter();
  for (const loop of ['a', 'b', 'a']) {
    meter.received(loop);
    meter.settling(loop);
  }
  const { steps, p50 } = meter.measured(false);
  assert.is(steps, 1);
  assert.ok(p50 >= 0);
});

test.run();
