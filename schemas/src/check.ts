import {
  type Avsc,
  type AvscEnum,
  type AvscFact,
  type AvscField,
  type AvscRecord,
  isRecord,
  keyNames,
  kindOf,
  nullable,
} from './schema.ts';

const primitives = new Set(['boolean', 'int', 'long', 'string', 'bytes']);
const classes = new Set(['clear', 'sealed', 'personal']);

/** What is wrong with a set of fact schemas, one line each; empty when nothing is. */
export function faults(facts: readonly AvscFact[]): readonly string[] {
  const names = new Map<string, string>();
  return [...duplicates(facts), ...facts.flatMap((fact) => factFaults(fact, names))];
}

function duplicates(facts: readonly AvscFact[]): string[] {
  const seen = new Set<string>();
  return facts
    .filter((fact) => seen.has(fact['loom.fact']) || !seen.add(fact['loom.fact']))
    .map((fact) => `${fact['loom.fact']}: the fact is defined twice`);
}

function factFaults(fact: AvscFact, names: Map<string, string>): string[] {
  const at = fact['loom.fact'] ?? fact.name;
  const head = /^[a-z]+\.[a-z-]+$/.test(at) ? [] : [`${at}: loom.fact is not <noun>.<verb>`];
  const own = definedNames(fact);
  const twice = own.filter((name, i) => own.indexOf(name) !== i);
  return [
    ...head,
    ...untold(fact).map((name) => `${at}: ${name} is missing, docs/events.md is made of it`),
    ...twice.map((name) => `${at}: Avro lets ${name} be defined once in a file`),
    ...recordFaults(fact, at, names, true),
  ];
}

/** What a reader of the log is not told about a fact. */
function untold(fact: AvscFact): string[] {
  const told = ['doc', 'loom.sources', 'loom.streams', 'loom.slot', 'loom.when'] as const;
  return told.filter((name) => (fact[name] ?? '').length === 0);
}

/** Names that the wire schema defines, each as often as it does. */
function definedNames(type: Avsc): string[] {
  if (typeof type === 'string') return [];
  if (Array.isArray(type)) return type.flatMap(definedNames);
  const own = 'name' in type ? [type.name] : [];
  if (isRecord(type)) return [...own, ...type.fields.flatMap((field) => definedNames(field.type))];
  return [...own, ...definedNames(itemsOf(type) ?? 'null')];
}

/** `classed`: whether the fields must name a class (not inside `loom.opened`). */
function recordFaults(record: AvscRecord, at: string, names: Map<string, string>, classed: boolean): string[] {
  const fields = record.fields.map((field) => field.name);
  const twice = fields.filter((name, i) => fields.indexOf(name) !== i);
  return [
    ...nameFaults(record, at, names),
    ...twice.map((name) => `${at}.${name}: the field is defined twice`),
    ...record.fields.flatMap((field) => fieldFaults(field, `${at}.${field.name}`, names, classed)),
  ];
}

/** A name may come again in another file only with the very same definition. */
function nameFaults(type: AvscRecord | AvscEnum, at: string, names: Map<string, string>): string[] {
  const text = JSON.stringify(type);
  const known = names.get(type.name);
  names.set(type.name, known ?? text);
  return known === undefined || known === text ? [] : [`${at}: the name ${type.name} stands for two different types`];
}

function fieldFaults(field: AvscField, at: string, names: Map<string, string>, classed: boolean): string[] {
  if (!classed) return typeFaults(field.type, at, names, false);
  const own = field['loom.class'];
  if (own === undefined || !classes.has(own)) return [`${at}: no valid loom.class`];
  return own === 'clear' ? clearFaults(field, at, names) : sealedFaults(field, at, names);
}

function clearFaults(field: AvscField, at: string, names: Map<string, string>): string[] {
  const stray = field['loom.opened'] !== undefined || field['loom.key'] !== undefined;
  return [
    ...(stray ? [`${at}: a clear field has loom.opened or loom.key`] : []),
    ...typeFaults(field.type, at, names, true),
  ];
}

function sealedFaults(field: AvscField, at: string, names: Map<string, string>): string[] {
  const opened = field['loom.opened'];
  if ((nullable(field.type) ?? field.type) !== 'bytes') return [`${at}: a sealed field is not bytes`];
  if (opened === undefined) return [`${at}: a sealed field has no loom.opened`];
  return [
    ...(kindOf(opened) === 'union' ? [`${at}: loom.opened is a union`] : []),
    ...(field['loom.class'] === 'personal' && opened !== 'string'
      ? [`${at}: a personal field does not open as string`]
      : []),
    ...(field['loom.key'] !== undefined && !keyNames.includes(field['loom.key']) ? [`${at}: loom.key is unknown`] : []),
    ...typeFaults(opened, at, names, false),
  ];
}

function typeFaults(type: Avsc, at: string, names: Map<string, string>, classed: boolean): string[] {
  if (typeof type === 'string') return primitives.has(type) ? [] : [`${at}: ${type} is not a type that Loom uses`];
  const inner = nullable(type);
  if (inner !== undefined) return typeFaults(inner, at, names, classed);
  if (isRecord(type)) return recordFaults(type, at, names, classed);
  return innerFaults(type, at, names, classed);
}

function innerFaults(type: Exclude<Avsc, string>, at: string, names: Map<string, string>, classed: boolean): string[] {
  if (Array.isArray(type)) return [`${at}: a union other than ["null", X]`];
  if ('symbols' in type) return nameFaults(type, at, names);
  const items = itemsOf(type);
  if (items === undefined) return [`${at}: not a type that Loom uses`];
  const hidden =
    classed && hasSealed(items) ? [`${at}: a sealed field inside an array or map; seal the whole field`] : [];
  const empty = isRecord(items) && items.fields.length === 0 ? [`${at}: items of no bytes`] : [];
  return [...hidden, ...empty, ...typeFaults(items, at, names, classed)];
}

function itemsOf(type: object): Avsc | undefined {
  if ('items' in type) return type.items as Avsc;
  return 'values' in type ? (type.values as Avsc) : undefined;
}

function hasSealed(type: Avsc): boolean {
  if (!isRecord(type)) return false;
  return type.fields.some((field) => field['loom.class'] !== 'clear' || hasSealed(field.type));
}
