/**
 * Whether bytes can be a value of a schema, looked at before anything is built from them: avsc believes the counts
 * that it reads, so a few damaged bytes could make it loop or fill memory.
 */
import { LoomError } from '@loom/service';
import { type Avsc, type AvscRecord, kindOf } from './schema.ts';

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** @throws LoomError `undecodable` unless exactly one value of the schema starts at `from` and ends with the bytes. */
export function checkBounds(type: Avsc, bytes: Buffer, from: number): void {
  const cursor = { bytes, at: from };
  skip(type, cursor);
  if (cursor.at !== bytes.length) throw broken();
}

const broken = () => new LoomError('undecodable');

function skip(type: Avsc, cursor: Cursor): void {
  switch (kindOf(type)) {
    case 'null':
      return;
    case 'boolean':
      return advance(cursor, 1);
    case 'bytes':
    case 'string':
      return advance(cursor, readLong(cursor));
    case 'record':
      return (type as AvscRecord).fields.forEach((field) => skip(field.type, cursor));
    case 'array':
      return skipBlocks((type as { items: Avsc }).items, cursor);
    case 'map':
      return skipBlocks((type as { values: Avsc }).values, cursor, 'string');
    case 'union':
      return skipBranch(type as readonly Avsc[], cursor);
    default:
      readLong(cursor);
  }
}

function skipBranch(branches: readonly Avsc[], cursor: Cursor): void {
  const branch = branches[readLong(cursor)];
  if (branch === undefined) throw broken();
  skip(branch, cursor);
}

/** Every item takes a byte at least (types of no bytes are refused by `check.ts`), so a count is bounded by what is left. */
function skipBlocks(item: Avsc, cursor: Cursor, key?: 'string'): void {
  for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
    if (count < 0) readLong(cursor);
    if (Math.abs(count) > cursor.bytes.length - cursor.at) throw broken();
    for (let i = Math.abs(count); i > 0; i--) {
      if (key !== undefined) skip(key, cursor);
      skip(item, cursor);
    }
  }
}

function advance(cursor: Cursor, length: number): void {
  if (length < 0 || length > cursor.bytes.length - cursor.at) throw broken();
  cursor.at += length;
}

/** A zigzag varint of at most 10 bytes; beyond 2^53 only its size matters here, avsc refuses the value. */
function readLong(cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw broken();
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  throw broken();
}
