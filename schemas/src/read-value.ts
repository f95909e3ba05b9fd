/**
 * Values read from Avro binary by their schema, as plain objects. Damaged bytes may promise anything, so each length and each count is held
 * against what is left before anything is built of it.
 */
import { LoomError } from '@loom/service';
import { isUtf8 } from 'node:buffer';
import { room } from './kept.ts';
import { type Avsc, type AvscEnum, type AvscField, type AvscRecord, kindOf } from './schema.ts';
import { recordMaker } from './record-maker.ts';

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

type Read = (cursor: Cursor) => unknown;

/** Reads exactly one value, which starts at `from` and ends with the bytes. @throws LoomError `undecodable` */
export type ReadValue = (bytes: Buffer, from: number) => unknown;

/** Made ready for one schema. */
export function readerOf(type: Avsc): ReadValue {
  const read = readOf(type);
  return (bytes, from) => {
    const cursor = { bytes, at: from };
    const value = read(cursor);
    if (cursor.at !== bytes.length) throw broken();
    return value;
  };
}

const broken = () => new LoomError('undecodable');

function readOf(type: Avsc): Read {
  switch (kindOf(type)) {
    case 'null':
      return () => null;
    case 'boolean':
      return readBoolean;
    case 'bytes':
      return readBytes;
    case 'string':
      return readText;
    case 'record':
      return readRecord(type as AvscRecord);
    case 'array':
      return readArray(readOf((type as { items: Avsc }).items));
    case 'map':
      return readMap(readOf((type as { values: Avsc }).values));
    case 'union':
      return readBranch((type as readonly Avsc[]).map(readOf));
    case 'enum':
      return readSymbol((type as AvscEnum).symbols);
    default:
      return readLong;
  }
}

const readRecord = ({ fields }: AvscRecord): Read =>
  recordMaker(
    fields.map(({ name }) => name),
    fields.map((field) => (isShut(field) ? seeBytes(field) : readOf(field.type))),
  );

/** What has to be opened first is looked at where it lies; what is clear may be kept, and would keep all the bytes around it. */
const isShut = (field: AvscField): boolean => field['loom.opened'] !== undefined && field['loom.class'] !== 'clear';

const seeBytes = ({ type }: AvscField): Read => (Array.isArray(type) ? readBranch([() => null, seeing]) : seeing);

const readBoolean: Read = (cursor) => cursor.bytes[advance(cursor, 1)] !== 0;

const seeing: Read = (cursor) => {
  const from = advance(cursor, readLong(cursor));
  return cursor.bytes.subarray(from, cursor.at);
};

const readBytes: Read = (cursor) => {
  const length = readLong(cursor);
  const from = advance(cursor, length);
  const copy = room(length);
  cursor.bytes.copy(copy, 0, from, cursor.at);
  return copy;
};

/** Decoding puts a replacement character where bytes are no UTF-8: what it then says is not what was written. */
const readText: Read = (cursor) => {
  const from = advance(cursor, readLong(cursor));
  const { bytes, at } = cursor;
  if (isAscii(bytes, from, at)) return bytes.toString('latin1', from, at);
  if (!isUtf8(bytes.subarray(from, at))) throw broken();
  return bytes.toString('utf8', from, at);
};

/** Names and codes are short and plain: looking at their bytes is quicker than handing them to whoever knows UTF-8. */
function isAscii(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > shortText) return false;
  for (let at = from; at < to; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}
const shortText = 64;

function readBranch(branches: readonly Read[]): Read {
  return (cursor) => {
    const branch = branches[readLong(cursor)];
    if (branch === undefined) throw broken();
    return branch(cursor);
  };
}

function readSymbol(symbols: readonly string[]): Read {
  return (cursor) => {
    const symbol = symbols[readLong(cursor)];
    if (symbol === undefined) throw broken();
    return symbol;
  };
}

function readArray(item: Read): Read {
  return (cursor) => {
    const items: unknown[] = [];
    readBlocks(cursor, () => items.push(item(cursor)));
    return items;
  };
}

/** An entry of any name is the map's own, as `__proto__` would not be if it were assigned. */
function readMap(value: Read): Read {
  return (cursor) => {
    const entries: [string, unknown][] = [];
    readBlocks(cursor, () => entries.push([readText(cursor) as string, value(cursor)]));
    return Object.fromEntries(entries);
  };
}

/** Every item takes a byte at least (types of no bytes are refused by `check.ts`), so a count is bounded by what is left. */
function readBlocks(cursor: Cursor, readItem: () => void): void {
  for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
    if (count < 0) readLong(cursor);
    if (Math.abs(count) > cursor.bytes.length - cursor.at) throw broken();
    for (let i = Math.abs(count); i > 0; i--) readItem();
  }
}

/** Where the bytes began. */
function advance(cursor: Cursor, length: number): number {
  const from = cursor.at;
  if (length < 0 || length > cursor.bytes.length - from) throw broken();
  cursor.at += length;
  return from;
}

/** A zigzag varint of at most 10 bytes, one that a number holds exactly. */
function readLong(cursor: Cursor): number {
  const { bytes } = cursor;
  const first = bytes[cursor.at];
  if (first === undefined) throw broken();
  if (first >= 0x80) return readLonger(cursor);
  cursor.at += 1;
  return first % 2 === 0 ? first / 2 : -(first + 1) / 2;
}

/** The lowest 28 bits apart from the others: a number holds no zigzag above 2^53, yet the half of it. */
function readLonger(cursor: Cursor): number {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw broken();
    if (i < 4) low += (byte & 0x7f) * 2 ** (7 * i);
    else high += (byte & 0x7f) * 2 ** (7 * (i - 4));
    if (byte < 0x80) return unfolded(high * 2 ** 27 + Math.floor(low / 2), low % 2 === 1);
  }
  throw broken();
}

function unfolded(half: number, negative: boolean): number {
  const value = negative ? -half - 1 : half;
  if (!Number.isSafeInteger(value)) throw broken();
  return value;
}
