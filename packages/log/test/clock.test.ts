import { setImmediate as soon } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ServerClock } from '../src/clock.ts';

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

const never = (): Promise<number> => Promise.reject(new Error('nobody should ask'));

test('the time goes on from what the server said, whatever is done to the clock of this machine', () => {
  const clock = new ServerClock(1_000_000, never);
  Date.now = () => 5;
  passed = 1_500.7;
  assert.is(clock.now(), 1_001_500);
  Date.now = () => 9e12;
  assert.is(clock.now(), 1_001_500);
});

test('a reading that is a minute old is replaced by the next, asked for once', async () => {
  let asked = 0;
  const clock = new ServerClock(1_000_000, async () => {
    asked += 1;
    return 3_000_000;
  });
  passed = 60_001;
  assert.is(clock.now(), 1_060_001, 'the old one counts until there is another');
  clock.now();
  await soon();
  passed += 10;
  assert.is(clock.now(), 3_000_010);
  assert.is(asked, 1);
});

test('while the server is silent the old reading counts, and it is asked again a minute later', async () => {
  let asked = 0;
  const clock = new ServerClock(1_000_000, () => {
    asked += 1;
    return Promise.reject(new Error('silent'));
  });
  for (passed of [60_001, 60_002, 120_003]) {
    assert.is(clock.now(), 1_000_000 + passed);
    await soon();
  }
  assert.is(asked, 2);
});

test.run();
