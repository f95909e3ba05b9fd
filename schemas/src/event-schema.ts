/** The schema of the log as others get it: a record a fact, what its headers say beside its clear fields. docs/events.md describes it. */
import { type Avsc, type AvscFact, type AvscField, type AvscRecord, nullable } from './schema.ts';

const text = (name: string, doc: string): object => ({ name, type: 'string', doc });

/** Avro's rule: a name is defined where it first stands, and named from then on. */
type Defined = Set<string>;

/** `decision.made` is no item: its own are. */
export function eventSchema(facts: readonly AvscFact[]): object {
  const defined: Defined = new Set();
  const bodies = facts.filter((fact) => fact['loom.fact'] !== 'decision.made').map((fact) => clearType(fact, defined));
  const item = {
    type: 'record',
    name: 'LogItem',
    fields: [
      text('id', '<sequence>.<index>'),
      text('type', '<noun>.<verb>'),
      text('key', 'Last token of the subject that it has or would have.'),
      { name: 'body', type: bodies, doc: 'Its clear fields.' },
    ],
  };
  return {
    type: 'record',
    name: 'Event',
    namespace: 'loom.log',
    doc: 'A fact of the log without its content.',
    fields: [
      ...head,
      { name: 'items', type: { type: 'array', items: item }, doc: 'What counts; none for a dispatch.' },
    ],
  };
}

const head: readonly object[] = [
  text('log', 'JetStream stream.'),
  { name: 'seq', type: 'long', doc: 'Sequence there.' },
  { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: "The server's." },
  text('tenant', 'Whose it is.'),
  text('stream', 'A job id, account or system.'),
  text('source', 'Service that the subject names.'),
  text('type', '<noun>.<verb>'),
  text('key', 'Last token of the subject.'),
  text('id', 'ce-id'),
  text('writer', 'ce-source'),
  { name: 'basis', type: 'long', doc: 'loom-basis' },
  { name: 'decision', type: ['null', 'long'], default: null, doc: 'loom-decision: what this dispatch repeats.' },
  text('replay', 'loom-replay; empty for none.'),
  text('traceparent', 'W3C trace context; empty for none.'),
];

/** A type without what is not clear, and without Loom's own attributes. */
function clearType(type: Avsc, defined: Defined): unknown {
  const inner = nullable(type);
  if (inner !== undefined) return ['null', clearType(inner, defined)];
  if (typeof type === 'string' || !('type' in type)) return type;
  switch (type.type) {
    case 'record':
      return named(type.name, defined, () => clearRecord(type, defined));
    case 'enum':
      return named(type.name, defined, () => ({ ...type, namespace: 'loom' }));
    case 'array':
      return { type: 'array', items: clearType(type.items, defined) };
    case 'map':
      return { type: 'map', values: clearType(type.values, defined) };
  }
}

function named(name: string, defined: Defined, define: () => object): unknown {
  if (defined.has(name)) return `loom.${name}`;
  defined.add(name);
  return define();
}

function clearRecord({ name, doc, fields }: AvscRecord, defined: Defined): object {
  const kept = fields.filter((field) => field['loom.class'] === 'clear').map((field) => clearField(field, defined));
  return { type: 'record', name, namespace: 'loom', ...(doc === undefined ? {} : { doc }), fields: kept };
}

function clearField({ name, type, doc, default: absent }: AvscField, defined: Defined): object {
  const more = { ...(doc === undefined ? {} : { doc }), ...(absent === undefined ? {} : { default: absent }) };
  return { name, type: clearType(type, defined), ...more };
}
