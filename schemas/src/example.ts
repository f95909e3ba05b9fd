/** Bodies that no job ever had, for the page that explains them. */
import { type Avsc, type AvscFact, type AvscField, isRecord, kindOf, nullable } from './schema.ts';

/** The clear fields of a fact as JSON, sealed ones by their name alone. */
export function exampleOf(fact: AvscFact): string {
  return JSON.stringify(recordOf(fact.fields), null, 2);
}

const recordOf = (fields: readonly AvscField[]): object =>
  Object.fromEntries(fields.map((field) => [field.name, fieldOf(field)]));

function fieldOf(field: AvscField): unknown {
  if (field['loom.opened'] !== undefined) return '(sealed bytes)';
  const known = byName[field.name];
  return fits(field.type, known) ? known : valueOf(field.type);
}

/** One name may be a number in one fact and a key in another. */
const fits = (type: Avsc, value: unknown): boolean =>
  (kindOf(nullable(type) ?? type) === 'string' ? 'string' : 'number') === typeof value;

/** What a field of this name could hold, in any fact. */
const byName: Readonly<Record<string, unknown>> = {
  agent: 'a1',
  parent: 'a0',
  attempt: 1,
  step: 2,
  call: 0,
  code: '',
  cost_micros: 1840,
  budget_micros: 2_500_000,
  reserved_micros: 21_300,
  settled_micros: 2_490_000,
  spent_micros: 48_200,
  needed_micros: 2_511_300,
  tokens_in: 1200,
  tokens_cached: 800,
  tokens_written: 0,
  tokens_out: 250,
  latency_ms: 2140,
  deadline_ms: 600_000,
  retry_after_ms: 0,
  provider: 'anthropic',
  model: 'model-1',
  stop_reason: 'end',
  person: 'user_ann',
  owner: 'user_ann',
  engagement: 'default',
  tool: 'run_code',
  job: 'job_006gzhgs4s9t33ccndeafwvmdqr',
  due: 1_795_255_200_000,
  score_ppm: 950_000,
  worker: '5f2c91aa',
};

function valueOf(type: Avsc): unknown {
  if (nullable(type) !== undefined) return null;
  if (typeof type !== 'string') return compound(type);
  if (type === 'bytes') return '(32 bytes)';
  return type === 'string' ? 'v1' : type === 'boolean' ? true : 1;
}

function compound(type: Exclude<Avsc, string>): unknown {
  if (isRecord(type)) return recordOf(type.fields);
  if ('symbols' in type) return type.symbols[0];
  if (kindOf(type) === 'array') return [valueOf((type as { items: Avsc }).items)];
  return { worker: 'v1' };
}
