/** A body as it will be when it is read again: what its schema does not know is dropped, what is absent is null or its default. */
import { bufferOf } from './compiled.ts';
import type { Bodies, FactType } from './generated.ts';
import { factOf } from './registry.ts';
import { type Avsc, type AvscField, type AvscRecord, isRecord, kindOf, nullable } from './schema.ts';

type Normal = (value: unknown) => unknown;

const facts = new Map<FactType, Normal>();

/** A copy, equal to what decoding and opening the encoded and sealed body would give. The body has to be valid. */
export function normal<T extends FactType>(type: T, body: Bodies[T]): Bodies[T] {
  const known = facts.get(type) ?? recordOf(factOf(type).fact);
  facts.set(type, known);
  return known(body) as Bodies[T];
}

function recordOf({ fields }: AvscRecord): Normal {
  const parts = fields.map((field) => ({ name: field.name, of: fieldOf(field), absent: field.default ?? null }));
  return (value) => {
    const made: Record<string, unknown> = {};
    for (const { name, of, absent } of parts) made[name] = of((value as Record<string, unknown>)[name] ?? absent);
    return made;
  };
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
      return (value) => (value as unknown[]).map(of);
    }
    case 'map': {
      const of = normalOf((avsc as { values: Avsc }).values);
      return (value) => Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, of(one)]));
    }
    case 'string':
      return (value) => (value as string).toWellFormed();
    case 'bytes':
      return (value) => Buffer.from(bufferOf(value as Uint8Array));
    default:
      return (value) => value;
  }
}
