import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/domain/limits.ts';
import { cut, printable, resultText, verdict } from '../src/domain/result.ts';
import type { Ending, Run } from '../src/domain/result.ts';

const run = (ending: Ending, rest: Partial<Run> = {}): Run => ({
  ending,
  stdout: Buffer.from('out\n'),
  stderr: Buffer.from('err\n'),
  seconds: 1.23,
  files: [],
  skipped: [],
  ...rest,
});

test('each ending has its outcome and its code', () => {
  const of = (ending: Ending) => {
    const { outcome, code, exitCode } = verdict(run(ending), limits);
    return [outcome, code, exitCode];
  };
  assert.equal(of({ kind: 'exited', exitCode: 0 }), ['completed', '', 0]);
  assert.equal(of({ kind: 'exited', exitCode: 1 }), ['failed', 'exit_nonzero', 1]);
  assert.equal(of({ kind: 'exited', exitCode: 137 }), ['failed', 'out_of_memory', 137]);
  assert.equal(of({ kind: 'timeout' }), ['failed', 'timeout', null]);
  assert.equal(of({ kind: 'output_limit' }), ['failed', 'output_limit', null]);
  assert.equal(of({ kind: 'no_space' }), ['failed', 'no_space', null]);
  assert.equal(of({ kind: 'vanished' }), ['failed', 'workspace_ended', null]);
  assert.equal(of({ kind: 'killed' }), ['refused', 'killed', null]);
});

test('the result shows exit code, time, both outputs and the files', () => {
  const files = [{ path: 'final/x.png', content: Buffer.alloc(123) }];
  const text = resultText(
    run({ kind: 'exited', exitCode: 0 }, { files, skipped: [['final/l', 'not a regular file']] }),
    limits,
  );
  assert.is(
    text,
    'exit code 0 (1.2 s)\n--- stdout\nout\n--- stderr\nerr\n--- files\nfinal/x.png (123 bytes)\nnot taken: final/l (not a regular file)',
  );
});

test('long output keeps its beginning and its end, says what is left out, and halves no character', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 4, max: 40 }),
      fc.integer({ min: 4, max: 40 }),
      (shift, head, tail) => {
        const shown = cut(Buffer.from(`${'x'.repeat(shift)}${'€'.repeat(100)}`), { head, tail });
        assert.match(shown, /\[… \d+ bytes left out here …\]/);
        assert.not.match(shown, '\uFFFD');
      },
    ),
  );
  assert.is(cut(Buffer.from('short\n'), { head: 4, tail: 4 }), 'short');
});

test('colours, bells and NULs are taken out, tabs and lines stay', () => {
  assert.is(printable('\u001b[1;31mred\u001b[0m\u0007\u0000\ta\r\nb\rc\n[A'), 'red\ta\nb\nc\n[A');
});

test.run();
