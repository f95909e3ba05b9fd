import { LoomError } from '@loom/service';
import { headers } from '@nats-io/nats-core';
import { MsgHdrsImpl } from '@nats-io/nats-core/internal';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Block } from '../src/block.ts';

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/);
const value = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((text) => !/[\r\n]/.test(text))
  .map((text) => text.trim());
const pairs = fc.uniqueArray(fc.tuple(name, value), { selector: ([first]) => first, maxLength: 12 });

test('what is written is what nats.js reads, and the other way about', () => {
  fc.assert(
    fc.property(pairs, (some) => {
      const theirs = MsgHdrsImpl.decode(new Block(some).encode());
      assert.equal(
        [...theirs].map(([key, [first]]) => [key, first]),
        some,
      );
      const written = headers();
      for (const [key, text] of some) written.set(key, text);
      if (some.length > 0) assert.equal(Block.read((written as MsgHdrsImpl).encode()).pairs, some);
    }),
  );
});

test('a status line gives its code', () => {
  assert.is(Block.read(Buffer.from('NATS/1.0 404 No Messages\r\n\r\n')).code, 404);
  assert.is(Block.read(Buffer.from('NATS/1.0\r\nA: b\r\n\r\n')).code, 0);
  assert.is(Block.read(Buffer.from('NATS/1.0 204 EOB\r\nNats-Num-Pending: 3\r\n\r\n')).get('Nats-Num-Pending'), '3');
});

test('a value with a line break is refused', () => {
  assert.throws(
    () => new Block([['traceparent', 'x\r\nNats-Rollup: all']]).encode(),
    (error: unknown) => error instanceof LoomError && error.code === 'internal',
  );
});

test.run();
