import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Windows } from '../src/http/windows.ts';

const { now: wall } = Date;
const monotonic = performance.now.bind(performance);
let passed = 0;

test.before.each(() => {
  passed = 0;
  performance.now = () => passed;
});
test.after.each(() => {
  Date.now = wall;
  performance.now = monotonic;
});

interface Counted {
  readonly current: number;
  readonly ttl: number;
}

function count(windows: Windows, key: string): Counted {
  let counted: Counted = { current: 0, ttl: 0 };
  windows.incr(key, (_, result) => (counted = result ?? counted), 60_000);
  return counted;
}

test('calls are counted by key until their window ends, and then from one again', () => {
  const windows = new Windows();
  assert.equal(count(windows, 'ada'), { current: 1, ttl: 60_000 });
  passed = 20_000;
  assert.equal(count(windows, 'ada'), { current: 2, ttl: 40_000 });
  assert.equal(count(windows, 'bob'), { current: 1, ttl: 60_000 });
  passed = 60_000;
  assert.equal(count(windows, 'ada'), { current: 1, ttl: 60_000 });
});

test('a clock that is set back keeps no window open', () => {
  const windows = new Windows();
  count(windows, 'ada');
  Date.now = () => wall() - 3_600_000;
  passed = 60_001;
  assert.is(count(windows, 'ada').current, 1);
});

test('who has not called for longest is forgotten, so that what is held is bounded', () => {
  const windows = new Windows();
  for (let n = 0; n <= 5_000; n += 1) count(windows, `person ${n}`);
  assert.is(count(windows, 'person 5000').current, 2);
  assert.is(count(windows, 'person 0').current, 1);
});

test.run();
