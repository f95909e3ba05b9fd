import fc from 'fast-check';
import type { Bodies, FactType } from '../src/index.ts';
import { currentFacts } from '../src/files.ts';
import { type Avsc, type AvscField, type AvscRecord, isRecord, nullable } from '../src/schema.ts';

const facts = new Map(currentFacts().map((fact) => [fact['loom.fact'], fact]));

/** Any opened body of a fact, from its schema; strings are full Unicode. */
export function bodyOf<T extends FactType>(type: T): fc.Arbitrary<Bodies[T]> {
  const fact = facts.get(type);
  if (fact === undefined) throw new Error(`no fact ${type}`);
  return recordOf(fact) as unknown as fc.Arbitrary<Bodies[T]>;
}

const recordOf = (record: AvscRecord): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(record.fields.map((field) => [field.name, valueOf(openedType(field))])), {
    noNullPrototype: true,
  });

function openedType(field: AvscField): Avsc {
  const opened = field['loom.opened'];
  if (opened === undefined) return field.type;
  return nullable(field.type) === undefined ? opened : ['null', opened];
}

const text = fc.string({ unit: 'grapheme' });
const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  boolean: fc.boolean(),
  int: fc.integer(),
  long: fc.maxSafeInteger(),
  string: text,
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
};

function valueOf(type: Avsc): fc.Arbitrary<unknown> {
  const inner = nullable(type);
  if (inner !== undefined) return fc.option(valueOf(inner));
  if (typeof type === 'string') return scalars[type] ?? fc.constant(null);
  if (isRecord(type)) return recordOf(type);
  if ('symbols' in type) return fc.constantFrom(...type.symbols);
  if ('items' in type) return fc.array(valueOf(type.items), { maxLength: 4 });
  const names = text.filter((name) => name !== '__proto__');
  return fc.dictionary(names, valueOf((type as { values: Avsc }).values), { maxKeys: 4, noNullPrototype: true });
}
