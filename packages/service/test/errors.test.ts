import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LoomError, errorTable } from '@loom/service';

const documented = (): string[] =>
  readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));

test('docs/errors.md is the error table in words: same codes, statuses, retry advice and meanings, in the same order', () => {
  const rows = Object.entries(errorTable);
  assert.equal(
    documented(),
    rows.map(([code, row]) => `| \`${code}\` | ${row.status} | ${row.retry} | ${row.meaning} |`),
  );
});

test('an error takes status and retry advice from the table and keeps field and cause', () => {
  const cause = new Error('below');
  const error = new LoomError('validation_failed', 'brief is missing', { cause, field: 'brief' });
  assert.equal([error.code, error.status, error.retry, error.field], ['validation_failed', 400, 'never', 'brief']);
  assert.is(error.cause, cause);
});

test('what is no error of Loom becomes internal and keeps its cause; what is one stays itself', () => {
  const cause = new TypeError('x');
  assert.is(LoomError.from(cause).code, 'internal');
  assert.is(LoomError.from(cause).cause, cause);
  const own = new LoomError('gone');
  assert.is(LoomError.from(own), own);
});

test.run();
