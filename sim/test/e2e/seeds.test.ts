/** many simulated Looms hold, and every fault really happens. `LOOM_NIGHTLY=1` runs 10,000 seeds. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seeds, simulate } from '../../src/index.ts';

const count = process.env['LOOM_NIGHTLY'] === '1' ? 10_000 : 200;

test(`the invariants hold over ${count} seeds, and every kind of fault was there`, async () => {
  const { found, faults, crashes, ends } = await seeds(1, count);
  console.log(JSON.stringify({ faults, ends, crashes: crashes.length }));
  assert.equal(found, []);
  assert.equal(
    Object.entries(faults).filter(([, times]) => times === 0),
    [],
  );
  assert.ok(crashes.length >= 20, `processes died at ${crashes.length} different places only`);
});

test('a seed is the same history byte for byte, whatever ran before it', async () => {
  const first = await simulate(3);
  await simulate(4);
  assert.equal(await simulate(3), first);
  assert.is.not((await simulate(4)).hash, first.hash);
});

test.run();
