import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { millisecondsOf } from '../src/pull.ts';

test('a fact has the same time delivered as read, also just below a millisecond', () => {
  assert.is(millisecondsOf('1795177680743999950'), Date.parse('2026-11-20T12:28:00.743999950Z'));
  assert.is(millisecondsOf('1795177680743000000'), 1_795_177_680_743);
});

test.run();
