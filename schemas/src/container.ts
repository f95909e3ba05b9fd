/**
 * Avro object container files of events. avsc's own encoder ends a block when it is full; here whoever writes says when, so that a reader
 * who follows has each fact at once, and a part of an export is made in one piece.
 */
import { randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRaw } from 'node:zlib';
import avro from 'avsc';
import { typeOf } from './compiled.ts';
import { eventSchema } from './event-schema.ts';
import { currentFacts } from './files.ts';
import type { ClearBodies, FactType } from './generated.ts';
import { rawSchema } from './raw-schema.ts';
import type { StoredFact } from './raw-schema.ts';

/** A fact as others get it: headers and clear fields. */
export interface LogEvent {
  /** JetStream stream. */
  readonly log: string;
  readonly seq: number;
  /** Unix ms, the server's. */
  readonly time: number;
  readonly tenant: string;
  readonly stream: string;
  readonly source: string;
  readonly type: FactType;
  readonly key: string;
  readonly id: string;
  readonly writer: string;
  readonly basis: number;
  readonly decision: number | null;
  /** '' for none. */
  readonly replay: string;
  readonly traceparent: string;
  readonly items: readonly {
    readonly id: string;
    readonly type: FactType;
    readonly key: string;
    readonly body: ClearBodies[FactType];
  }[];
}

interface Container<T> {
  /** How the file begins. */
  readonly head: Buffer;
  /** What goes on with these; nothing for none. */
  block(values: readonly T[]): Buffer;
}

const long = typeOf('long');
const metadata = typeOf({ type: 'map', values: 'bytes' });

/** A new file of events. */
export function eventContainer(): Container<LogEvent> {
  const facts = currentFacts();
  const names = new Map(facts.map((fact) => [fact['loom.fact'], `loom.${fact.name}`]));
  const file = container(eventSchema(facts));
  return { head: file.head, block: (events) => file.block(events.map((event) => branched(event, names))) };
}

/** A new file of facts as they lie in the log. */
export const rawContainer = (): Container<StoredFact> => container(rawSchema);

function container(schema: object): Container<object> {
  const type = typeOf(schema);
  const sync = randomBytes(16);
  const about = { 'avro.codec': Buffer.from('deflate'), 'avro.schema': Buffer.from(JSON.stringify(schema)) };
  return {
    head: Buffer.concat([Buffer.from('Obj\u0001'), metadata.toBuffer(about), sync]),
    block(values) {
      if (values.length === 0) return Buffer.alloc(0);
      const data = deflateRawSync(Buffer.concat(values.map((value) => type.toBuffer(value))));
      return Buffer.concat([long.toBuffer(values.length), long.toBuffer(data.length), data, sync]);
    },
  };
}

/** The facts of a file that `rawContainer` made. @throws what is wrong with the file */
export async function* readRawContainer(path: string): AsyncGenerator<StoredFact> {
  for await (const value of avro.createFileDecoder(path, { codecs: { deflate: inflateRaw } }))
    yield value as StoredFact;
}

/** avsc wants a value of a union of records under the name of its branch. */
function branched(event: LogEvent, names: ReadonlyMap<string, string>): object {
  const items = event.items.map((item) => ({ ...item, body: { [names.get(item.type) ?? item.type]: item.body } }));
  return { ...event, items };
}
