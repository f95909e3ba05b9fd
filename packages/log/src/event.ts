/** Facts as others get them: what their headers say, and their clear fields. */
import type { LogEvent } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { parseRaw, sumOfRaw } from './raw.ts';
import type { RawFact } from './raw.ts';

/** Needs no key. @throws LoomError `damaged`, `undecodable`, `unknown_schema` */
export function eventOf(raw: RawFact): LogEvent {
  const { tenant, stream, source, type, key, id, writer, basis, decision, sum, traceparent, items, replay } =
    parseRaw(raw);
  if (sum !== sumOfRaw(raw))
    throw new LoomError('damaged', `the fact at ${raw.stream} ${raw.seq} does not have its sum`);
  return {
    log: raw.stream,
    seq: raw.seq,
    time: raw.time,
    tenant,
    stream,
    source,
    type,
    key,
    id,
    writer,
    basis,
    decision,
    replay: replay ?? '',
    traceparent,
    items: items.map((item) => ({ id: item.id, type: item.type, key: item.key, body: item.body })),
  };
}
