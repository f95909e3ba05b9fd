/**
 * Whether today's facts and those of every release read each other: what is stored stays readable, and an older replica
 * reads what a newer one writes. Run as a program it prints one fault a line and exits 1 when there is any.
 */
import { compile } from './compiled.ts';
import { currentFacts, releasedFacts } from './files.ts';
import { type Avsc, type AvscFact, type AvscField, type AvscRecord, keyOf, nullable, recordOf } from './schema.ts';

/** What breaks between today's schemas and the released ones, one line each. */
export function incompatibilities(today: readonly AvscFact[], released: readonly AvscFact[]): readonly string[] {
  const now = new Map(today.map((fact) => [fact['loom.fact'], fact]));
  const found = released.flatMap((old) => {
    const fact = now.get(old['loom.fact']);
    return fact === undefined ? [`${old['loom.fact']}: was released and is gone`] : compare(fact, old);
  });
  return [...new Set(found)];
}

function compare(fact: AvscFact, old: AvscFact): string[] {
  const at = fact['loom.fact'];
  return [...bothWays(at, fact, old), ...compareFields(at, fact, old)];
}

/** By Avro's rules for readers and writers, as the codec applies them. */
function bothWays(at: string, today: Avsc, old: Avsc): string[] {
  return [
    ...cannotRead(`${at}: today's cannot read the released one`, today, old),
    ...cannotRead(`${at}: the released one cannot read today's`, old, today),
  ];
}

function cannotRead(what: string, reader: Avsc, writer: Avsc): string[] {
  try {
    compile(reader).type.createResolver(compile(writer).type);
    return [];
  } catch (cause) {
    return [`${what}: ${cause instanceof Error ? cause.message : String(cause)}`];
  }
}

function compareFields(at: string, today: AvscRecord, old: AvscRecord): string[] {
  const before = new Map(old.fields.map((field) => [field.name, field]));
  const names = new Set(today.fields.map((field) => field.name));
  const changed = today.fields.flatMap((field) => {
    const other = before.get(field.name);
    return other === undefined
      ? oneSided(`${at}.${field.name}`, field)
      : compareField(`${at}.${field.name}`, field, other);
  });
  const gone = old.fields.filter((field) => !names.has(field.name));
  return [...changed, ...gone.flatMap((field) => oneSided(`${at}.${field.name}`, field))];
}

/** What one side does not know: a default of sealed bytes would open under no key, so it must be null. */
function oneSided(at: string, field: AvscField): string[] {
  const sealed = field['loom.class'] !== 'clear' && nullable(field.type) === undefined;
  return sealed ? [`${at}: a sealed field that comes or goes must be ["null", "bytes"]`] : [];
}

function compareField(at: string, today: AvscField, old: AvscField): string[] {
  const keys = [today, old].map((field) =>
    field['loom.class'] === 'clear' ? 'clear' : `${field['loom.class']} (${keyOf(field)})`,
  );
  if (keys[0] !== keys[1]) return [`${at}: ${keys[1]} became ${keys[0]}; what is stored cannot follow`];
  const [inner, before] = [recordOf(today.type), recordOf(old.type)];
  if (inner !== undefined && before !== undefined) return compareFields(at, inner, before);
  const [opened, was] = [today['loom.opened'], old['loom.opened']];
  return opened === undefined || was === undefined ? [] : bothWays(`${at} opened`, opened, was);
}

if (import.meta.main) {
  const found = incompatibilities(currentFacts(), releasedFacts(process.argv[2]));
  for (const line of found) console.error(line);
  process.exitCode = found.length === 0 ? 0 : 1;
}
