/** The part of Avro that Loom uses, as JSON. Everything outside of it is refused by `check.ts`. */
export type Avsc = string | AvscEnum | AvscArray | AvscMap | AvscRecord | readonly Avsc[];

export interface AvscEnum {
  readonly type: 'enum';
  readonly name: string;
  readonly symbols: readonly string[];
  readonly doc?: string;
}

interface AvscArray {
  readonly type: 'array';
  readonly items: Avsc;
}

interface AvscMap {
  readonly type: 'map';
  readonly values: Avsc;
}

export interface AvscField {
  readonly name: string;
  readonly type: Avsc;
  readonly doc?: string;
  readonly default?: unknown;
  /** Absent only inside `loom.opened`, where everything shares the class of the field. */
  readonly 'loom.class'?: FieldClass;
  /** Avro type of the value before it is sealed. */
  readonly 'loom.opened'?: Avsc;
  readonly 'loom.key'?: KeyName;
  /** `false`: left out of the canonical form, so the same act keeps its id when only this differs. */
  readonly 'loom.identity'?: boolean;
}

export interface AvscRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields: readonly AvscField[];
}

/** A file under `facts/`: the wire schema of one fact, and what its reader has to know of it. */
export interface AvscFact extends AvscRecord {
  readonly 'loom.fact': string;
  /** Who writes it: source tokens of its subject. */
  readonly 'loom.sources': readonly string[];
  /** Where it lies: `job`, `account`, `system`. */
  readonly 'loom.streams': readonly string[];
  /** What the last token of its subject is. */
  readonly 'loom.slot': string;
  /** When it is written, in a sentence. */
  readonly 'loom.when': string;
}

type FieldClass = 'clear' | 'sealed' | 'personal';

/** Which key seals a field; see `loom.key`. */
export type KeyName = 'content' | 'call' | 'tenant' | 'person';

export const keyNames: readonly KeyName[] = ['content', 'call', 'tenant', 'person'];

export const isRecord = (type: Avsc): type is AvscRecord => kindOf(type) === 'record';

/** The branch beside null of `["null", X]`, else undefined. */
export function nullable(type: Avsc): Avsc | undefined {
  return Array.isArray(type) && type.length === 2 && type[0] === 'null' ? (type[1] as Avsc) : undefined;
}

/** The nested record of a field, also behind `["null", record]`. */
export function recordOf(type: Avsc): AvscRecord | undefined {
  const inner = nullable(type) ?? type;
  return isRecord(inner) ? inner : undefined;
}

/** `string`, `record`, `union`, … */
export function kindOf(type: Avsc): string {
  if (typeof type === 'string') return type;
  return 'type' in type ? type.type : 'union';
}

/** The key that seals a field: its own `loom.key`, else by class. */
export function keyOf(field: AvscField): KeyName {
  return field['loom.key'] ?? (field['loom.class'] === 'personal' ? 'person' : 'content');
}
