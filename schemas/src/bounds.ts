/**
 * Whether bytes can be a value of a schema, looked at before anything is built from them: avsc believes the counts
 * that it reads, so a few damaged bytes could make it loop or fill memory.
 */
import { LoomError } from '@loom/service';
import { isUtf8 } from 'node:buffer';
import { type Avsc, type AvscRecord, kindOf } from './schema.ts';

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

type Skip = (cursor: Cursor) => void;

/** A check made ready for one schema: throws `undecodable` unless exactly one value of it starts at `from` and ends with the bytes. */
export function boundsOf(type: Avsc): (bytes: Buffer, from: number) => void {
  const skip = skipOf(type);
  return (bytes, from) => {
    const cursor = { bytes, at: from };
    skip(cursor);
    if (cursor.at !== bytes.length) throw broken();
  };
}

const broken = () => new LoomError('undecodable');

function skipOf(type: Avsc): Skip {
  switch (kindOf(type)) {
    case 'null':
      return () => undefined;
    case 'boolean':
      return (cursor) => advance(cursor, 1);
    case 'bytes':
      return skipBytes;
    case 'string':
      return skipText;
    case 'record':
      return skipAll((type as AvscRecord).fields.map((field) => skipOf(field.type)));
    case 'array':
      return skipBlocks([skipOf((type as { items: Avsc }).items)]);
    case 'map':
      return skipBlocks([skipText, skipOf((type as { values: Avsc }).values)]);
    case 'union':
      return skipBranch((type as readonly Avsc[]).map(skipOf));
    default:
      return (cursor) => void readLong(cursor);
  }
}

const skipBytes: Skip = (cursor) => advance(cursor, readLong(cursor));

/** avsc reads a replacement character where bytes are no UTF-8: what it then says is not what was written. */
const skipText: Skip = (cursor) => {
  const length = readLong(cursor);
  advance(cursor, length);
  if (!isText(cursor.bytes, cursor.at - length, cursor.at)) throw broken();
};

/** Names and codes are short and plain: looking at their bytes is quicker than handing them to whoever knows UTF-8. */
function isText(bytes: Buffer, from: number, to: number): boolean {
  if (to - from <= shortText) {
    let at = from;
    while (at < to && (bytes[at] as number) < 0x80) at++;
    if (at === to) return true;
  }
  return isUtf8(bytes.subarray(from, to));
}
const shortText = 64;

function skipAll(parts: readonly Skip[]): Skip {
  return (cursor) => {
    for (const skip of parts) skip(cursor);
  };
}

function skipBranch(branches: readonly Skip[]): Skip {
  return (cursor) => {
    const branch = branches[readLong(cursor)];
    if (branch === undefined) throw broken();
    branch(cursor);
  };
}

/** Every item takes a byte at least (types of no bytes are refused by `check.ts`), so a count is bounded by what is left. */
function skipBlocks(item: readonly Skip[]): Skip {
  return (cursor) => {
    for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
      if (count < 0) readLong(cursor);
      if (Math.abs(count) > cursor.bytes.length - cursor.at) throw broken();
      for (let i = Math.abs(count); i > 0; i--) for (const skip of item) skip(cursor);
    }
  };
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
