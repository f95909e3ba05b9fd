import { type Compiled, encodeBinary } from './compiled.ts';
import type { Bodies, FactType } from './generated.ts';
import { compiledOf, factOf } from './registry.ts';
import { type Avsc, type AvscField, type AvscRecord, isRecord, kindOf, nullable } from './schema.ts';

/**
 * The Avro binary of the opened body without the fields of `loom.identity: false` and with maps in the order of their
 * keys: equal for every body that says the same. @throws LoomError `validation_failed`
 */
export function canonical<T extends FactType>(type: T, body: Bodies[T]): Buffer {
  const { compiled, sort } = identityOf(type);
  return encodeBinary(compiled.type, sort(body), type);
}

interface Identity {
  readonly compiled: Compiled;
  readonly sort: Sort;
}

const identities = new Map<FactType, Identity>();

function identityOf(type: FactType): Identity {
  const known = identities.get(type);
  if (known !== undefined) return known;
  const schema = unique(identity(factOf(type).fact), new Set());
  const made = { compiled: compiledOf(schema), sort: sortOf(schema) };
  identities.set(type, made);
  return made;
}

/** The record as it is opened, without what does not belong to the identity of the act. */
function identity(record: AvscRecord): AvscRecord {
  const fields = record.fields.filter((field) => field['loom.identity'] !== false);
  return {
    type: 'record',
    name: record.name,
    fields: fields.map((field) => ({ name: field.name, type: openedType(field) })),
  };
}

function openedType(field: AvscField): Avsc {
  const inner = nullable(field.type);
  const own = inner ?? field.type;
  const opened = field['loom.opened'] ?? (isRecord(own) ? identity(own) : own);
  return inner === undefined ? opened : ['null', opened];
}

/** Avro lets a name be defined once a schema: later definitions become references. */
function unique(type: Avsc, names: Set<string>): Avsc {
  if (typeof type === 'string') return type;
  if (!('type' in type)) return type.map((branch) => unique(branch, names));
  if ('name' in type && names.has(type.name)) return type.name;
  if ('name' in type) names.add(type.name);
  if (isRecord(type))
    return { ...type, fields: type.fields.map((field) => ({ ...field, type: unique(field.type, names) })) };
  if ('items' in type) return { ...type, items: unique(type.items, names) };
  return 'values' in type ? { ...type, values: unique(type.values, names) } : type;
}

type Sort = (value: unknown) => unknown;

const asItIs: Sort = (value) => value;

/** Puts maps in the order of their keys, wherever they lie in records; nothing to be sorted: `asItIs`. */
function sortOf(avsc: Avsc): Sort {
  const type = nullable(avsc) ?? avsc;
  if (kindOf(type) === 'map') return sortMap;
  if (!isRecord(type)) return asItIs;
  const parts = type.fields.map((field) => [field.name, sortOf(field.type)] as const);
  if (parts.every(([, sort]) => sort === asItIs)) return asItIs;
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const record = value as Record<string, unknown>;
    return Object.fromEntries(parts.map(([name, sort]) => [name, sort(record[name])]));
  };
}

const sortMap: Sort = (value) =>
  typeof value !== 'object' || value === null
    ? value
    : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
