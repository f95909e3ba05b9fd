/** Facts as bytes, and the way between an opened body and what goes over the wire. */
import { LoomError } from '@loom/service';
import { bufferOf, type Compiled, decode, encode, writerOf } from './compiled.ts';
import type { Bodies, ClearBodies, FactType } from './generated.ts';
import { recordMaker } from './record-maker.ts';
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

/** A field that is not clear. */
interface Leaf {
  /** Dotted. */
  readonly path: string;
  readonly key: KeyName;
  readonly optional: boolean;
  readonly opened: () => Compiled;
}

/** What is done with a field: passed on, gone into, or given to whoever seals or opens. */
interface Step {
  readonly name: string;
  readonly leaf?: Leaf;
  readonly inner?: readonly Step[];
}

type OnLeaf = (leaf: Leaf, value: unknown) => unknown;

/** Seals a body. The additional data of a field is `<context>/<dotted path>`. @throws LoomError `validation_failed` */
export function toWire<T extends FactType>(type: T, body: Bodies[T], context: string, sealer: Sealer): Wire {
  return mapFields(planOf(type), body, ({ optional, key, opened, path }, value) => {
    if (value === null && optional) return null;
    return sealer.seal(key, `${context}/${path}`, encode(opened(), value, type, path));
  });
}

/** @throws LoomError `bad_seal`, `key_destroyed`, `unknown_schema` or `undecodable` */
export function fromWire<T extends FactType>(type: T, wire: Wire, context: string, sealer: Sealer): Bodies[T] {
  return openerOf(type)({ wire, context, sealer }) as Bodies[T];
}

/** What needs no key: the sealed and personal fields are absent. */
export function clearOf<T extends FactType>(type: T, wire: Wire): ClearBodies[T] {
  return mapFields(planOf(type), wire, () => undefined) as ClearBodies[T];
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

const plans = new Map<FactType, readonly Step[]>();

function planOf(type: FactType): readonly Step[] {
  const known = plans.get(type) ?? plan(factOf(type).fact, '');
  plans.set(type, known);
  return known;
}

function plan(record: AvscRecord, at: string): readonly Step[] {
  return record.fields.map((field) => {
    const { name } = field;
    const path = at + name;
    const inner = recordOf(field.type);
    if (field['loom.class'] === 'clear')
      return inner === undefined ? { name } : { name, inner: plan(inner, `${path}.`) };
    return {
      name,
      leaf: { path, key: keyOf(field), optional: Array.isArray(field.type), opened: () => openedOf(field) },
    };
  });
}

/** What is to be opened: a body or a record in it. */
interface Shut {
  readonly wire: Wire;
  readonly context: string;
  readonly sealer: Sealer;
}

type Open = (shut: Shut) => unknown;

const openers = new Map<FactType, Open>();

function openerOf(type: FactType): Open {
  const known = openers.get(type) ?? openRecord(planOf(type));
  openers.set(type, known);
  return known;
}

const openRecord = (steps: readonly Step[]): Open =>
  recordMaker(
    steps.map(({ name }) => name),
    steps.map(openField),
  );

function openField({ name, leaf, inner }: Step): Open {
  if (leaf !== undefined) return openLeaf(name, leaf);
  if (inner === undefined) return ({ wire }) => wire[name];
  const open = openRecord(inner);
  return (shut) => {
    const value = shut.wire[name];
    return isObject(value) ? open({ ...shut, wire: value }) : value;
  };
}

const openLeaf =
  (name: string, { key, opened, path }: Leaf): Open =>
  ({ wire, context, sealer }) => {
    const value = wire[name];
    if (value === null) return null;
    const plain = sealer.open(key, `${context}/${path}`, value as Buffer);
    return decode(opened(), openedWriter(writerOf(plain)), plain);
  };

/** Copies a body, nested records too; `onLeaf` replaces what is not clear, or drops it by answering undefined. */
function mapFields(steps: readonly Step[], body: object, onLeaf: OnLeaf): Wire {
  const result: Wire = {};
  for (const { name, leaf, inner } of steps) {
    const value = (body as Wire)[name];
    const mapped = leaf === undefined ? copied(inner, value, onLeaf) : onLeaf(leaf, value);
    if (mapped !== undefined) result[name] = mapped;
  }
  return result;
}

const copied = (inner: readonly Step[] | undefined, value: unknown, onLeaf: OnLeaf): unknown =>
  inner === undefined || !isObject(value) ? value : mapFields(inner, value, onLeaf);

const isObject = (value: unknown): value is Wire => typeof value === 'object' && value !== null;
