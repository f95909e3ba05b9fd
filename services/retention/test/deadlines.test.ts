import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writtenUntil } from '../src/domain/deadlines.ts';

const day = 86_400_000;

test('an artifact is due to the millisecond after its days, and no day later than ninety whatever is set', () => {
  fc.assert(
    fc.property(fc.nat(10_000 * day), fc.integer({ min: 1, max: 10_000 }), (written, days) => {
      const due = written + Math.min(days, 90) * day;
      assert.ok(written > writtenUntil(due - 1, days));
      assert.ok(written <= writtenUntil(due, days));
    }),
  );
});

test.run();
