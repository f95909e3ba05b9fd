import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backoffMs, supervise } from '@loom/service';

process.env['LOOM_LOG_LEVEL'] = 'silent';

test('back-off grows to half a minute and is never longer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), (attempt) => {
      const wait = backoffMs(attempt);
      return wait >= 200 && wait <= 30_000 && backoffMs(attempt + 2) > wait * (wait < 6_000 ? 1 : 0);
    }),
  );
});

test('a loop that throws or returns is begun again, tells that it is not healthy, and ends with its signal', async () => {
  const abort = new AbortController();
  const healths: boolean[] = [];
  let runs = 0;
  const loop = supervise(
    'x',
    async (signal) => {
      healths.push(loop.healthy());
      runs += 1;
      if (runs === 1) throw new Error('boom');
      if (runs === 2) return;
      queueMicrotask(() => abort.abort());
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    abort.signal,
  );
  await loop.done;
  assert.equal([runs, healths], [3, [true, false, false]]);
});

test.run();
