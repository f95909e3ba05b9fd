/** A schema made ready, and values in Avro's single-object encoding: `C3 01`, 8-byte fingerprint, binary. */
import { LoomError } from '@loom/service';
import avro, { type Type } from 'avsc';
import { checkBounds } from './bounds.ts';
import { fingerprint } from './fingerprint.ts';
import { type Avsc, isRecord, kindOf, nullable } from './schema.ts';

type Resolver = ReturnType<Type['createResolver']>;

export interface Compiled {
  readonly avsc: Avsc;
  readonly type: Type;
  readonly header: Buffer;
  /** Hex of the fingerprint, in the order of the header's bytes. */
  readonly hex: string;
  /** How values of other writers become values of this type. */
  readonly resolvers: Map<string, Resolver>;
}

const headerSize = 10;

/** avsc's own long writes -2^52 - 1 and below as another number, in silence; this one is exact for all safe integers. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => safe(Number(bytes.readBigInt64LE())),
  toBuffer: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(safe(value)));
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

export function compile(avsc: Avsc): Compiled {
  const schema = avsc as Parameters<typeof avro.Type.forSchema>[0];
  const type = avro.Type.forSchema(schema, { omitRecordMethods: true, registry: { long } });
  const print = fingerprint(JSON.stringify(type.schema()));
  const header = Buffer.concat([Buffer.from([0xc3, 0x01]), print]);
  return { avsc, type, header, hex: print.toString('hex'), resolvers: new Map() };
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
  checkBounds(writer.avsc, bytes, headerSize);
  try {
    return plain(reader.avsc, reader.type.fromBuffer(bytes.subarray(headerSize), resolver(reader, writer)));
  } catch {
    throw new LoomError('undecodable');
  }
}

function resolver(reader: Compiled, writer: Compiled): Resolver | undefined {
  if (reader.hex === writer.hex) return undefined;
  const known = reader.resolvers.get(writer.hex) ?? reader.type.createResolver(writer.type);
  reader.resolvers.set(writer.hex, known);
  return known;
}

/** avsc answers instances of classes that it makes; callers get plain objects. */
function plain(avsc: Avsc, value: unknown): unknown {
  if (value === null) return null;
  const type = nullable(avsc) ?? avsc;
  if (isRecord(type)) {
    const record = value as Record<string, unknown>;
    return Object.fromEntries(type.fields.map((field) => [field.name, plain(field.type, record[field.name])]));
  }
  if (kindOf(type) !== 'array') return value;
  const { items } = type as { items: Avsc };
  return isRecord(items) ? (value as unknown[]).map((item) => plain(items, item)) : value;
}

/** The bytes as a Buffer, without a copy. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
