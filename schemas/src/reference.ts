/** Writes the part of `docs/events.md` that the schemas give: who writes each fact and when, its fields, and an example. */
import { compile } from './compiled.ts';
import { exampleOf } from './example.ts';
import { type Avsc, type AvscFact, type AvscField, isRecord, keyOf, kindOf, nullable } from './schema.ts';

const marker = '<!-- facts -->\n';

/** The page: the template's chapters, with the facts in their place. The same schemas give the same text. */
export function reference(facts: readonly AvscFact[], template: string): string {
  if (!template.includes(marker)) throw new Error(`the template has no line ${marker.trim()}`);
  return template.replace(marker, () => `${index(facts)}\n${facts.map(section).join('\n')}`);
}

function index(facts: readonly AvscFact[]): string {
  const rows = facts.map(
    (fact) => `| [\`${fact['loom.fact']}\`](#${anchor(fact)}) | ${sources(fact)} | ${fact.doc ?? ''} |`,
  );
  return ['| fact | source | in a sentence |', '|---|---|---|', ...rows, ''].join('\n');
}

const anchor = (fact: AvscFact): string => fact['loom.fact'].replace('.', '');
const code = (text: string): string => `\`${text}\``;
const sources = (fact: AvscFact): string => fact['loom.sources'].map(code).join(', ');

function section(fact: AvscFact): string {
  const rows = fact.fields.flatMap((field) => lines(field, ''));
  return [
    `### ${fact['loom.fact']}`,
    `${fact.doc ?? ''} ${fact['loom.when']}`,
    '',
    `Source ${sources(fact)} · stream ${fact['loom.streams'].map(code).join(', ')} · key ${code(fact['loom.slot'])} · schema ${code(compile(fact).hex)}`,
    '',
    '| field | type | unit | class | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '```json',
    exampleOf(fact),
    '```',
    '',
  ].join('\n');
}

/** A row for the field, and one for each field of a record below it. */
function lines(field: AvscField, at: string): string[] {
  const path = at + field.name;
  const inner = insideOf(field.type);
  const own = `| \`${path}\` | ${typeWord(field.type)} | ${unitOf(field.name)} | ${classWord(field)} | ${field.doc ?? ''} |`;
  return inner === undefined ? [own] : [own, ...inner.fields.flatMap((one) => lines(one, `${path}${inner.below}`))];
}

/** The record in a field's type, and how a path into it goes on. */
function insideOf(type: Avsc): { readonly fields: readonly AvscField[]; readonly below: string } | undefined {
  const plain = nullable(type) ?? type;
  if (isRecord(plain)) return { fields: plain.fields, below: '.' };
  const items = kindOf(plain) === 'array' ? (plain as { items: Avsc }).items : 'null';
  return isRecord(items) ? { fields: items.fields, below: '[].' } : undefined;
}

function typeWord(type: Avsc): string {
  const inner = nullable(type);
  if (inner !== undefined) return `${typeWord(inner)} or null`;
  if (typeof type === 'string' || !('type' in type)) return kindOf(type);
  if (type.type === 'enum') return type.symbols.map(code).join(', ');
  if (type.type === 'array') return `array of ${typeWord(type.items)}`;
  return type.type === 'map' ? `map of ${typeWord(type.values)}` : 'record';
}

/** Units stand in the names of fields. */
const units: readonly (readonly [RegExp, string])[] = [
  [/_micros$/, 'micro-USD'],
  [/_micros_per_mtok$/, 'micro-USD for a million tokens'],
  [/_ms$/, 'ms'],
  [/^tokens_|_tokens(_max)?$/, 'tokens'],
  [/^seconds$/, 's'],
  [/^size$|_bytes$/, 'bytes'],
  [/_ppm$/, '10⁻⁶'],
  [/^due$/, 'Unix ms'],
  [/_hmac$|^data_key$|^call_key$/, 'raw bytes'],
];

const unitOf = (name: string): string => units.find(([form]) => form.test(name))?.[1] ?? '';

function classWord(field: AvscField): string {
  const own = field['loom.class'] ?? 'clear';
  const opened = field['loom.opened'];
  return opened === undefined ? own : `${own} (${keyOf(field)} key; ${typeWord(opened)})`;
}
