import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allowance, overBound } from '../../src/domain/bounds.ts';
import { artifactPath } from '../../src/domain/paths.ts';

test('input above its reservation or the context of the model is not sent', () => {
  const fits = { inputBound: 100, inputTokensMax: 100, context: 50 };
  assert.is(overBound(fits), null);
  assert.is(overBound({ ...fits, inputTokensMax: 99 }), 'input_over_reservation');
  assert.is(overBound({ ...fits, context: 49 }), 'input_over_context');
});

test('a call ends before its deadline, and never in the past', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (deadline, now) => {
      const ms = allowance(deadline, now);
      return ms >= 0 && now + ms <= Math.max(deadline, now);
    }),
  );
});

test('whatever path a model names, what is taken lies under final/', () => {
  const parts = fc.array(fc.oneof(fc.constantFrom('final', '..', '.', '', 'a', 'b.md', '\\', '\u0000'), fc.string()), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(parts, (names) => {
      const taken = artifactPath(names.join('/'));
      if ('problem' in taken) return true;
      const [first, ...rest] = taken.path.split('/');
      return first === 'final' && rest.length > 0 && rest.every((part) => part !== '' && part !== '.' && part !== '..');
    }),
  );
});

test.run();
