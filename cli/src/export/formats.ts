/** The bytes of a part, by format. docs/operations/analysts.md describes the columns. */
import { eventContainer, type LogEvent } from '@loom/schemas';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { jsonOf, plain } from '../events/json.ts';
import type { Format } from './manifest.ts';

export const bytesOf: Readonly<Record<Format, (events: readonly LogEvent[]) => Uint8Array>> = {
  parquet: parquetOf,
  avro: (events) => {
    const file = eventContainer();
    return Buffer.concat([file.head, file.block(events)]);
  },
  ndjson: (events) => Buffer.from(events.map((event) => `${JSON.stringify(jsonOf(event))}\n`).join('')),
};

type Item = LogEvent['items'][number];
interface Row {
  readonly event: LogEvent;
  readonly item: Item;
  readonly index: number;
}
type ColumnType = 'STRING' | 'INT64' | 'INT32' | 'TIMESTAMP' | 'JSON';

/** A row an item. Day and tenant are in the path, as readers of partitioned folders expect. */
const columns: readonly (readonly [string, ColumnType, (row: Row) => unknown])[] = [
  ['log', 'STRING', ({ event }) => event.log],
  ['seq', 'INT64', ({ event }) => BigInt(event.seq)],
  ['index', 'INT32', ({ index }) => index],
  ['time', 'TIMESTAMP', ({ event }) => new Date(event.time)],
  ['stream', 'STRING', ({ event }) => event.stream],
  ['source', 'STRING', ({ event }) => event.source],
  ['type', 'STRING', ({ item }) => item.type],
  ['key', 'STRING', ({ item }) => item.key],
  ['fact', 'STRING', ({ event }) => event.type],
  ['id', 'STRING', ({ event }) => event.id],
  ['writer', 'STRING', ({ event }) => event.writer],
  ['basis', 'INT64', ({ event }) => BigInt(event.basis)],
  ['replay', 'STRING', ({ event }) => event.replay],
  ['traceparent', 'STRING', ({ event }) => event.traceparent],
  ['body', 'JSON', ({ item }) => plain(item.body)],
];

function parquetOf(events: readonly LogEvent[]): Uint8Array {
  const rows = events.flatMap((event) => event.items.map((item, index) => ({ event, item, index })));
  const columnData = columns.map(([name, type, of]) => ({ name, type, data: rows.map(of), nullable: false }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
