import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode, excerpt } from '../../src/domain/text.ts';

test('UTF-8 is read as UTF-8, other bytes as Latin-1, by byte order mark as UTF-16', () => {
  assert.equal(decode(Buffer.from('größe')), { text: 'größe', encoding: 'UTF-8' });
  assert.equal(decode(Buffer.from('größe', 'latin1')), { text: 'größe', encoding: 'Latin-1' });
  assert.equal(decode(Buffer.from('\uFEFFgröße', 'utf16le')), { text: 'größe', encoding: 'UTF-16' });
});

test('pictures and archives are no text', () => {
  assert.is(decode(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])), null);
  assert.is(decode(Buffer.from([0x50, 0x4b, 3, 4, 20, 0])), null);
});

test('parts read one after the other give the whole text', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 400 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 60 }), (text, limit) => {
      const parts = Array.from({ length: Math.ceil(text.length / limit) }, (_, at) =>
        excerpt({ text, encoding: 'UTF-8' }, { name: 'f', offset: at * limit, limit }),
      );
      return parts.map((part) => part.slice(part.indexOf('\n\n') + 2)).join('') === text;
    }),
  );
});

test('a reading is never more than 32 KiB, and says where to go on', () => {
  const part = excerpt({ text: '中'.repeat(40_000), encoding: 'UTF-8' }, { name: 'f', offset: 0, limit: 32_768 });
  const body = part.slice(part.indexOf('\n\n') + 2);
  assert.ok(Buffer.byteLength(body) <= 32 * 1024);
  assert.match(part, `go on with offset ${body.length}`);
});

test('an offset past the end reads nothing and says so', () => {
  assert.is(
    excerpt({ text: 'abc', encoding: 'UTF-8' }, { name: 'f', offset: 9, limit: 5 }),
    'f: characters 3 to 3 of 3 (UTF-8); this is the end\n\n',
  );
});

test.run();
