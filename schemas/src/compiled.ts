/** A schema made ready, and values in Avro's single-object encoding: `C3 01`, 8-byte fingerprint, binary. */
import { LoomError } from '@loom/service';
import avro, { type Type } from 'avsc';
import { fingerprint } from './fingerprint.ts';
import { type ReadValue, readerOf } from './read-value.ts';
import type { Avsc } from './schema.ts';

type Resolver = ReturnType<Type['createResolver']>;

export interface Compiled {
  readonly avsc: Avsc;
  readonly type: Type;
  readonly header: Buffer;
  /** Hex of the fingerprint, in the order of the header's bytes. */
  readonly hex: string;
  /** How values of other writers become values of this type. */
  readonly resolvers: Map<string, Resolver>;
  readonly read: ReadValue;
}

const headerSize = 10;

/** avsc's own long writes -2^52 - 1 and below as another number, in silence; this one is exact for all safe integers. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => safe(bytes.readInt32LE(4) * 2 ** 32 + bytes.readUInt32LE(0)),
  toBuffer: (value: number) => {
    const bytes = Buffer.allocUnsafe(8);
    const high = Math.floor(safe(value) / 2 ** 32);
    bytes.writeInt32LE(high, 4);
    bytes.writeUInt32LE(value - high * 2 ** 32, 0);
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: (value: unknown) => Number.isSafeInteger(value),
  compare: (a: number, b: number) => Math.sign(a - b),
});

function safe(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError('a long that a number cannot hold');
}

type Schema = Parameters<typeof avro.Type.forSchema>[0];

/** avsc's type of a schema, with exact longs. */
export const typeOf = (avsc: string | object): Type =>
  avro.Type.forSchema(avsc as Schema, { omitRecordMethods: true, registry: { long } });

export function compile(avsc: Avsc): Compiled {
  const type = typeOf(avsc);
  const print = fingerprint(JSON.stringify(type.schema()));
  const header = Buffer.concat([Buffer.from([0xc3, 0x01]), print]);
  return {
    avsc,
    type,
    header,
    hex: print.toString('hex'),
    resolvers: new Map(),
    read: readerOf(avsc),
  };
}

/** @throws LoomError `validation_failed` naming the field; the message never shows the value. */
export function encode({ type, header }: Compiled, value: unknown, fact: string, at = ''): Buffer {
  return Buffer.concat([header, encodeBinary(type, value, fact, at)]);
}

/** As `encode`, without the header. */
export function encodeBinary(type: Type, value: unknown, fact: string, at = ''): Buffer {
  try {
    return type.toBuffer(value);
  } catch {
    throw invalid(type, value, fact, at);
  }
}

/** avsc's own error would print the value, which may be content: only the path and the wanted type are told. */
function invalid(type: Type, value: unknown, fact: string, at: string): LoomError {
  let field = at;
  let wanted = 'valid';
  const errorHook = (path: string[], _: unknown, expected: Type) => {
    field = [at, ...path].filter((name) => name !== '').join('.');
    wanted = expected.typeName.replace('abstract:', '');
  };
  type.isValid(value, { errorHook });
  return new LoomError('validation_failed', `${fact}: ${field} is not ${wanted}`, { field });
}

/** Hex fingerprint of single-object bytes. @throws LoomError `undecodable` when they are none. */
export function writerOf(bytes: Buffer): string {
  if (bytes.length < headerSize || bytes[0] !== 0xc3 || bytes[1] !== 0x01) throw new LoomError('undecodable');
  return bytes.toString('hex', 2, headerSize);
}

/** Reads what `writer` wrote as a value of `reader`. @throws LoomError `undecodable` */
export function decode(reader: Compiled, writer: Compiled, bytes: Buffer): unknown {
  const value = writer.read(bytes, headerSize);
  return reader.hex === writer.hex ? value : reader.read(resolved(reader, writer, bytes.subarray(headerSize)), 0);
}

/** What another writer wrote, as `reader` would have written it. avsc believes the counts that it reads: the bytes were read as the writer's before. */
function resolved(reader: Compiled, writer: Compiled, bytes: Buffer): Buffer {
  try {
    return reader.type.toBuffer(reader.type.fromBuffer(bytes, resolver(reader, writer)));
  } catch {
    throw new LoomError('undecodable');
  }
}

function resolver(reader: Compiled, writer: Compiled): Resolver {
  const known = reader.resolvers.get(writer.hex) ?? reader.type.createResolver(writer.type);
  reader.resolvers.set(writer.hex, known);
  return known;
}

/** The bytes as a Buffer, without a copy. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
