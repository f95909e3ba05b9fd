/** Every schema that is written today or ever was, compiled when first needed. */
import { LoomError } from '@loom/service';
import { type Compiled, compile } from './compiled.ts';
import { currentFacts, releasedFacts } from './files.ts';
import type { FactType } from './generated.ts';
import { type Avsc, type AvscFact, type AvscRecord, recordOf } from './schema.ts';

const current = currentFacts();
const all = [...releasedFacts(), ...current];
const bySchema = new Map<Avsc, Compiled>();
const byText = new Map<string, Compiled>();

/** Compiles each distinct schema once; looked up by identity first, because this is asked for every field read. */
export function compiledOf(avsc: Avsc): Compiled {
  const known = bySchema.get(avsc);
  if (known !== undefined) return known;
  const text = JSON.stringify(avsc);
  const made = byText.get(text) ?? compile(avsc);
  byText.set(text, made);
  bySchema.set(avsc, made);
  return made;
}

const byFact = new Map<string, { fact: AvscFact; compiled: Compiled }>(
  current.map((fact) => [fact['loom.fact'], { fact, compiled: compiledOf(fact) }]),
);

/** @throws LoomError `unknown_schema` */
export function factOf(type: FactType): { readonly fact: AvscFact; readonly compiled: Compiled } {
  const found = byFact.get(type);
  if (found === undefined) throw new LoomError('unknown_schema', `there is no fact ${String(type)}`);
  return found;
}

/** Wire schemas by hex fingerprint, in the order of the header's bytes: what is published to the KV bucket `loom_schemas`. */
export const schemas: ReadonlyMap<string, { readonly type: FactType; readonly avsc: object }> = new Map(
  all.map((fact) => [compiledOf(fact).hex, { type: fact['loom.fact'] as FactType, avsc: fact }]),
);

const opened = new Map(all.flatMap(openedTypes).map((avsc) => [compiledOf(avsc).hex, compiledOf(avsc)]));

/** Schemas of opened values by hex fingerprint; needed beside `schemas` by who reads content with other tools. */
export const openedSchemas: ReadonlyMap<string, Avsc> = new Map([...opened].map(([hex, type]) => [hex, type.avsc]));

/** The compiled writer of single-object bytes. @throws LoomError `unknown_schema` */
export function openedWriter(hex: string): Compiled {
  const found = opened.get(hex);
  if (found === undefined) throw new LoomError('unknown_schema', `no opened type has the fingerprint ${hex}`);
  return found;
}

function openedTypes(record: AvscRecord): Avsc[] {
  return record.fields.flatMap((field) => {
    const inner = recordOf(field.type);
    if (inner !== undefined) return openedTypes(inner);
    return field['loom.opened'] === undefined ? [] : [field['loom.opened']];
  });
}
