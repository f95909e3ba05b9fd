import { LoomError } from '@loom/service';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Sealer, decodeWire, encodeWire, factTypes, fromWire, toWire } from '../src/index.ts';
import { room } from '../src/kept.ts';
import { readerOf } from '../src/read-value.ts';
import { factOf } from '../src/registry.ts';
import { bodyOf } from './arbitrary.ts';

const open: Sealer = { seal: (_, __, plain) => Buffer.from(plain), open: (_, __, sealed) => Buffer.from(sealed) };

/** What a value says, whatever class its records are of. */
const plain = (value: unknown): unknown => structuredClone(value);

for (const type of factTypes)
  test(`${type} reads as avsc reads it`, () => {
    const { compiled } = factOf(type);
    fc.assert(
      fc.property(bodyOf(type), (body) => {
        const bytes = encodeWire(type, toWire(type, body, '', open));
        assert.equal(plain(decodeWire(bytes).wire), plain(compiled.type.fromBuffer(bytes.subarray(10))));
      }),
      { numRuns: 15 },
    );
  });

test('the last longs that a number holds are read, those behind them are refused', () => {
  const read = (hex: string): unknown => readerOf('long')(Buffer.from(hex, 'hex'), 0);
  assert.is(read('feffffffffffff1f'), Number.MAX_SAFE_INTEGER);
  assert.is(read('fdffffffffffff1f'), Number.MIN_SAFE_INTEGER);
  for (const hex of ['8080808080808020', 'ffffffffffffff1f', 'feffffffffffffffff01', 'ffffffffffffffffff01'])
    assert.throws(
      () => read(hex),
      (error: unknown) => error instanceof LoomError && error.code === 'undecodable',
      hex,
    );
});

test('an entry of a map may have any name', () => {
  const [body] = fc.sample(bodyOf('job.submitted'), 1);
  if (body === undefined) throw new Error('no sample');
  const models = Object.fromEntries([['__proto__', 'm1'] as const, ['10', 'm2'] as const]);
  const wire = toWire('job.submitted', { ...body, models }, '', open);
  assert.equal(
    new Map(Object.entries(fromWire('job.submitted', wire, '', open).models)),
    new Map(Object.entries(models)),
  );
});

test('bytes that may be kept are copies, which do not keep what lay around them', () => {
  const [body] = fc.sample(bodyOf('step.settled'), 1);
  if (body === undefined) throw new Error('no sample');
  const request_hmac = Buffer.alloc(32, 7);
  const bytes = encodeWire('step.settled', toWire('step.settled', { ...body, request_hmac }, '', open));
  const read = decodeWire(bytes).wire['request_hmac'] as Buffer;
  assert.equal(read, request_hmac);
  assert.ok(read.buffer.byteLength <= 1024);
});

test('room for bytes is shared with nobody, and large bytes keep nothing but themselves', () => {
  const pieces = Array.from({ length: 500 }, (_, i) => room((i * 7) % 100).fill(i));
  for (const [i, piece] of pieces.entries()) {
    assert.equal(piece, Buffer.alloc((i * 7) % 100, i));
    assert.ok(piece.buffer.byteLength <= Math.max(1024, piece.length));
  }
  assert.is(room(65).buffer.byteLength, 65);
});

test.run();
