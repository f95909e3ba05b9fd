import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inLanes } from '@loom/service';

test('no more are begun at once than there are lanes, and the answers keep their order', async () => {
  let now = 0;
  let most = 0;
  const all = Array.from({ length: 50 }, (_, i) => i);
  const answers = await inLanes(4, all, async (i) => {
    most = Math.max(most, ++now);
    for (let wait = i % 7; wait >= 0; wait--) await turn();
    now -= 1;
    return i * 2;
  });
  assert.equal(
    answers,
    all.map((i) => i * 2),
  );
  assert.is(most, 4);
});

test('one that fails is told, and none is begun in its lane any more', async () => {
  const begun: number[] = [];
  const failing = inLanes(1, [1, 2, 3], (i) => {
    begun.push(i);
    return i === 2 ? Promise.reject(new Error('two')) : Promise.resolve(i);
  });
  assert.is(await failing.catch((cause: Error) => cause.message), 'two');
  assert.equal(begun, [1, 2]);
  assert.equal(await inLanes(8, [], () => Promise.reject(new Error('never'))), []);
});

test.run();
