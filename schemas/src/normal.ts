/**
 * A body as it will be when it is read again: what its schema does not know is dropped, what is absent is null or its default, and half of
 * a surrogate pair is replaced (avsc would write bytes that are no UTF-8, which other readers refuse).
 */
import type { Bodies, FactType } from './generated.ts';
import { room } from './kept.ts';
import { recordMaker } from './record-maker.ts';
import { factOf } from './registry.ts';
import { type Avsc, type AvscField, type AvscRecord, isRecord, kindOf, nullable } from './schema.ts';

type Normal = (value: unknown) => unknown;

const facts = new Map<FactType, Normal>();

/** A copy, equal to what decoding and opening gives once it was encoded and sealed. What is not valid is passed on, for the encoder to name. */
export function normal<T extends FactType>(type: T, body: Bodies[T]): Bodies[T] {
  const known = facts.get(type) ?? recordOf(factOf(type).fact);
  facts.set(type, known);
  return known(body) as Bodies[T];
}

function recordOf({ fields }: AvscRecord): Normal {
  const make = recordMaker(
    fields.map(({ name }) => name),
    fields.map(partOf),
  );
  return (value) => (isObject(value) ? make(value as Given) : value);
}

type Given = Readonly<Record<string, unknown>>;

function partOf(field: AvscField): (value: Given) => unknown {
  const { name, default: absent = null } = field;
  const of = fieldOf(field);
  return (value) => of(value[name] ?? absent);
}

function fieldOf(field: AvscField): Normal {
  const opened = field['loom.opened'];
  return opened === undefined ? normalOf(field.type) : orNull(normalOf(opened));
}

const orNull =
  (of: Normal): Normal =>
  (value) =>
    value === null ? null : of(value);

function normalOf(avsc: Avsc): Normal {
  const inner = nullable(avsc);
  if (inner !== undefined) return orNull(normalOf(inner));
  if (isRecord(avsc)) return recordOf(avsc);
  switch (kindOf(avsc)) {
    case 'array': {
      const of = normalOf((avsc as { items: Avsc }).items);
      return (value) => (Array.isArray(value) ? value.map(of) : value);
    }
    case 'map': {
      const of = normalOf((avsc as { values: Avsc }).values);
      return (value) => (isObject(value) ? mapped(value, of) : value);
    }
    case 'string':
      return (value) => (typeof value === 'string' ? value.toWellFormed() : value);
    case 'bytes':
      return (value) => (value instanceof Uint8Array ? copyOf(value) : value);
    default:
      return (value) => value;
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const mapped = (value: object, of: Normal): object =>
  Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toWellFormed(), of(one)]));

function copyOf(bytes: Uint8Array): Buffer {
  const copy = room(bytes.length);
  copy.set(bytes);
  return copy;
}
