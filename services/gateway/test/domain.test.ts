import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mediaType, nameFault } from '../src/domain/attachments.ts';
import { base32 } from '../src/domain/base32.ts';
import { rangeOf } from '../src/domain/ranges.ts';
import { fieldOf } from '../src/domain/validation.ts';
import { cookies } from '../src/identity/cookies.ts';
import { csrf } from '../src/identity/csrf.ts';
import { plain } from '../src/present.ts';

test('base32 keeps the order of bytes and tells them apart', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [x, y] = [base32(a, 26), base32(b, 26)];
      assert.is(Math.sign(Buffer.compare(a, b)), x < y ? -1 : x > y ? 1 : 0);
    }),
  );
  assert.is(base32(Uint8Array.of(0xff, 0x00), 4), 'zw00');
});

test('a range is one slice of the file, the whole, or cannot be satisfied', () => {
  const cases: readonly (readonly [string | undefined, number, unknown])[] = [
    [undefined, 10, null],
    ['bytes=0-3', 10, { start: 0, end: 3 }],
    ['bytes=4-', 10, { start: 4, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=8-99', 10, { start: 8, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=3-1', 10, null],
    ['bytes=0-1,3-4', 10, null],
    ['lines=0-1', 10, null],
    ['bytes=-', 10, null],
  ];
  for (const [header, size, expected] of cases) assert.equal(rangeOf(header, size), expected, String(header));
});

test('a fault names its field as a caller would write it', () => {
  assert.is(
    fieldOf({ instancePath: '/attachments/0', params: { requiredProperties: ['name'] } }),
    'attachments[0].name',
  );
  assert.is(fieldOf({ instancePath: '', params: { additionalProperties: ['x'] } }), 'x');
  assert.is(fieldOf({ instancePath: '/metadata/a~1b' }), 'metadata.a/b');
  assert.is(fieldOf({}), '');
});

test('a file has a name of one printable step, and a media type', () => {
  for (const name of ['', '.', '..', 'a/b', 'a\\b', 'a\0', 'a\n', 'x'.repeat(256)])
    assert.ok(nameFault(name, new Set()), name);
  assert.is(nameFault('Müller "q" 2.csv', new Set()), null);
  assert.ok(nameFault('a', new Set(['a'])));
  assert.is(mediaType('text/csv; charset=latin1', 'a.txt'), 'text/csv; charset=latin1');
  assert.is(mediaType('application/octet-stream', 'A.CSV'), 'text/csv');
  assert.is(mediaType('', 'a'), 'application/octet-stream');
});

test('the first cookie of a name counts, so that one tossed behind it does not', () => {
  const jar = cookies('__session=a.b.c; x=1; __session=evil; =; y');
  assert.equal(
    [...jar],
    [
      ['__session', 'a.b.c'],
      ['x', '1'],
    ],
  );
  assert.is(cookies(undefined).size, 0);
});

test('a CSRF token is good for the session that it was made for alone', () => {
  const tokens = csrf(Buffer.alloc(32, 1));
  const token = tokens.issue('sess_1');
  assert.ok(tokens.valid('sess_1', token));
  assert.not(tokens.valid('sess_2', token));
  assert.not(csrf(Buffer.alloc(32, 2)).valid('sess_1', token));
  for (const bad of [undefined, '', token.slice(1), `${token}x`, token.replace('.', '')])
    assert.not(tokens.valid('sess_1', bad));
});

test('no key and no place of a blob is ever shown, and personal data to its person alone', () => {
  const state = {
    files: new Map([['a', { name: 'a', object: 't/j/x', data_key: Buffer.from('k'), dataKey: Buffer.from('k') }]]),
    request: { person: 'ann', ip: '10.0.0.1', user_agent: 'x', action: 'POST /v1/jobs' },
    hmac: Buffer.from([1, 255]),
    seen: new Set([1]),
  };
  const shown = { files: { a: { name: 'a' } }, hmac: '01ff', seen: [1] };
  assert.equal(plain(state, 'bob'), { ...shown, request: { person: 'ann', action: 'POST /v1/jobs' } });
  assert.equal(plain(state, 'ann'), { ...shown, request: state.request });
});

test.run();
