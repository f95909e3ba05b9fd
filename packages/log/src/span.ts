/**
 * A span of the whole log, in one order.
 * W1  Within a stream in the order of its sequences: from the first fact at or after `since` up to before the first at or after `until`.
 * W2  Across streams the fact with the lower server time goes first (whole ms), of equal ones that of the stream named first. The order depends on
 *     nothing but the facts, so whoever goes on from the positions that he has gets the rest of the same order.
 * W3  What the log does not keep any more is named, never passed over in silence.
 */
import { lastSeqOf, readRaw } from './raw.ts';
import type { RawFact } from './raw.ts';
import type { Log } from './port.ts';
import { wholeStream } from './subjects.ts';
import { directBatch } from './transport.ts';

export interface Span {
  /** Unix ms. */
  readonly since: number;
  readonly until: number;
  /** Of this tenant alone. */
  readonly tenant?: string;
}

/** Sequences of a stream that are no longer kept. */
export interface Gap {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

type From = Pick<Log, 'connection' | 'streams'>;

/** Behind `positions` (last sequence taken of each stream). @throws LoomError `log_unavailable` */
export async function* readSpan(
  log: From,
  span: Span,
  positions: ReadonlyMap<string, number>,
  onGap: (gap: Gap) => void,
): AsyncGenerator<RawFact> {
  const readers = log.streams.map((stream) => ofStream(log, stream, span, positions.get(stream), onGap));
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  for (;;) {
    const at = earliest(heads);
    if (at === -1) return;
    yield heads[at]!.value as RawFact;
    heads[at] = await readers[at]!.next();
  }
}

function earliest(heads: readonly IteratorResult<RawFact, void>[]): number {
  let first = -1;
  let time = Infinity;
  for (const [i, head] of heads.entries()) {
    if (head.done === true || head.value.time >= time) continue;
    [first, time] = [i, head.value.time];
  }
  return first;
}

async function* ofStream(
  log: From,
  stream: string,
  { since, until, tenant }: Span,
  position: number | undefined,
  onGap: (gap: Gap) => void,
): AsyncGenerator<RawFact, void> {
  const end = await lastSeqOf(log, stream);
  let last = position ?? (await keptBefore(log, stream, await firstSince(log, stream, since, end)));
  const skip = (to: number): void => {
    if (to > last) onGap({ stream, from: last + 1, to });
  };
  for await (const fact of readRaw(log, stream, { after: last, upto: end })) {
    skip(fact.seq - 1);
    last = fact.seq;
    if (fact.time >= until) return;
    if (tenant === undefined || fact.subject.split('.', 4)[3] === tenant) yield fact;
  }
  skip(end);
}

/** The sequence of the first fact at or after a time; one behind the last when there is none. */
async function firstSince({ connection }: From, stream: string, since: number, end: number): Promise<number> {
  const query = { start_time: new Date(since).toISOString(), next_by_subj: wholeStream, batch: 1 };
  const { messages } = await directBatch(connection, stream, query);
  return messages[0]?.seq ?? end + 1;
}

/** The last sequence below `seq` that is kept, 0 for none; looked for further and further back. */
async function keptBefore(log: From, stream: string, seq: number): Promise<number> {
  for (let back = 64; ; back *= 64) {
    let last = 0;
    const after = Math.max(0, seq - 1 - back);
    for await (const fact of readRaw(log, stream, { after, upto: seq - 1 })) last = fact.seq;
    if (last > 0 || after === 0) return last;
  }
}
