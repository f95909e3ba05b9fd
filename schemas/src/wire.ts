/** Facts as bytes, and the way between an opened body and what goes over the wire. */
import { LoomError } from '@loom/service';
import { bufferOf, type Compiled, decode, encode, writerOf } from './compiled.ts';
import type { Bodies, ClearBodies, FactType } from './generated.ts';
import { compiledOf, factOf, openedWriter, schemas } from './registry.ts';
import { type Avsc, type AvscField, type AvscRecord, type KeyName, keyOf, recordOf } from './schema.ts';

/** Seals the fields of one fact. `context` is bound as additional data, so sealed bytes open in their own place only. */
export interface Sealer {
  seal(key: KeyName, context: string, plain: Uint8Array): Buffer;
  /** @throws LoomError `bad_seal` or `key_destroyed` */
  open(key: KeyName, context: string, sealed: Uint8Array): Buffer;
}

/** A body as it is stored: sealed and personal fields are Buffers. */
export type Wire = Record<string, unknown>;

type Leaf = (field: AvscField, value: unknown, path: string) => unknown;

/** Seals a body. The additional data of a field is `<context>/<dotted path>`. @throws LoomError `validation_failed` */
export function toWire<T extends FactType>(type: T, body: Bodies[T], context: string, sealer: Sealer): Wire {
  return mapFields(factOf(type).fact, body, '', (field, value, path) => {
    if (value === null && Array.isArray(field.type)) return null;
    const plain = encode(openedOf(field), value, type, path);
    return sealer.seal(keyOf(field), `${context}/${path}`, plain);
  });
}

/** @throws LoomError `bad_seal`, `key_destroyed`, `unknown_schema` or `undecodable` */
export function fromWire<T extends FactType>(type: T, wire: Wire, context: string, sealer: Sealer): Bodies[T] {
  const body = mapFields(factOf(type).fact, wire, '', (field, value, path) => {
    if (value === null) return null;
    const plain = sealer.open(keyOf(field), `${context}/${path}`, value as Buffer);
    return decode(openedOf(field), openedWriter(writerOf(plain)), plain);
  });
  return body as Bodies[T];
}

/** What needs no key: the sealed and personal fields are absent. */
export function clearOf<T extends FactType>(type: T, wire: Wire): ClearBodies[T] {
  return mapFields(factOf(type).fact, wire, '', () => undefined) as ClearBodies[T];
}

/** @throws LoomError `validation_failed` naming the field */
export function encodeWire(type: FactType, wire: Wire): Buffer {
  return encode(factOf(type).compiled, wire, type);
}

/** Reads what any release wrote as today's fact. @throws LoomError `unknown_schema` or `undecodable` */
export function decodeWire(bytes: Uint8Array): { type: FactType; wire: Wire } {
  const buffer = bufferOf(bytes);
  const hex = writerOf(buffer);
  const known = schemas.get(hex);
  if (known === undefined) throw new LoomError('unknown_schema', `no fact has the fingerprint ${hex}`);
  const wire = decode(factOf(known.type).compiled, compiledOf(known.avsc as Avsc), buffer);
  return { type: known.type, wire: wire as Wire };
}

/** Dotted paths of the fields that are Buffers on the wire because they are sealed or personal. */
export function sealedPaths(type: FactType): readonly string[] {
  const known = paths.get(type) ?? listSealed(factOf(type).fact, '');
  paths.set(type, known);
  return known;
}

/** No sealed or personal field at all: `ce-id` is then a plain SHA-256. */
export const isContentFree = (type: FactType): boolean => sealedPaths(type).length === 0;

/** What `open` answers for a person whose key was destroyed: the encoded empty string. */
export const emptyOpened: Buffer = encode(compiledOf('string'), '', 'string');

const paths = new Map<FactType, readonly string[]>();

function listSealed(record: AvscRecord, at: string): readonly string[] {
  return record.fields.flatMap((field) => {
    const inner = recordOf(field.type);
    if (inner !== undefined) return listSealed(inner, `${at}${field.name}.`);
    return field['loom.class'] === 'clear' ? [] : [at + field.name];
  });
}

function openedOf(field: AvscField): Compiled {
  return compiledOf(field['loom.opened'] ?? 'bytes');
}

/** Copies a body, nested records too; `leaf` replaces what is not clear, or drops it by answering undefined. */
function mapFields(record: AvscRecord, body: object, at: string, leaf: Leaf): Wire {
  const result: Wire = {};
  for (const field of record.fields) {
    const value = mapField(field, (body as Wire)[field.name], at + field.name, leaf);
    if (value !== undefined) result[field.name] = value;
  }
  return result;
}

function mapField(field: AvscField, value: unknown, path: string, leaf: Leaf): unknown {
  if (field['loom.class'] !== 'clear') return leaf(field, value, path);
  const inner = recordOf(field.type);
  return inner === undefined || typeof value !== 'object' || value === null
    ? value
    : mapFields(inner, value, `${path}.`, leaf);
}
