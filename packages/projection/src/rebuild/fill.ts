/** Facts of the log into the tables beside: pages of facts, one transaction each, the next page read while the last one is written. */
import type { ClearFact, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { applyBatch } from '../project.ts';
import type { Beside } from './beside.ts';

/** What a rebuild reads. */
export type FactLog = Pick<Log, 'connection' | 'streams' | 'incarnation' | 'tail'>;

/** How far the tables beside are. */
export interface Filling {
  /** By stream: the last sequence that was read. */
  readonly read: Map<string, number>;
  facts: number;
  /** Facts that no projection can take: the live one parked them. */
  readonly unread: { readonly stream: string; readonly seq: number; readonly reason: string }[];
}

export const filling = (): Filling => ({ read: new Map(), facts: 0, unread: [] });

/** Facts a transaction. */
const page = 2000;

/** Reads each stream on, up to the sequence given for it. @throws LoomError `log_unavailable`, `database_unavailable` */
export async function fill(
  beside: Beside,
  log: FactLog,
  state: Filling,
  ends: ReadonlyMap<string, number>,
  onFacts: (state: Filling) => void = () => undefined,
): Promise<void> {
  let failed = false;
  const streams = [...ends].map(async ([stream, upto]) => {
    const after = state.read.get(stream) ?? 0;
    if (after >= upto) return;
    const write = writer(beside, log, state, stream);
    const onUnreadable = (seq: number, cause: unknown): void => note(state, stream, seq, cause);
    for await (const facts of inPages(log.tail(stream, { after, upto, onUnreadable }))) {
      if (failed) return;
      await write(facts);
      onFacts(state);
    }
    await write([]);
    state.read.set(stream, upto);
  });
  const ended = await Promise.allSettled(
    streams.map((one) =>
      one.catch((cause: unknown) => {
        failed = true;
        throw cause;
      }),
    ),
  );
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

const note = (state: Filling, stream: string, seq: number, cause: unknown): void =>
  void state.unread.push({ stream, seq, reason: LoomError.from(cause).code });

/** Resolves when the page before was written; an empty page waits for the last one. */
function writer(
  beside: Beside,
  log: FactLog,
  state: Filling,
  stream: string,
): (facts: readonly ClearFact[]) => Promise<void> {
  let writing: Promise<unknown> = Promise.resolve();
  return async (facts) => {
    await writing;
    const last = facts.at(-1);
    if (last === undefined) return;
    writing = apply(beside, log, state, stream, facts).then(() => {
      state.facts += facts.length;
      state.read.set(stream, last.seq);
    });
    writing.catch(() => undefined); // told by the next call
  };
}

async function apply(
  { pool, projection, schema }: Beside,
  log: FactLog,
  state: Filling,
  stream: string,
  facts: readonly ClearFact[],
): Promise<void> {
  const at = { projection: projection.name, stream, incarnation: log.incarnation(stream) };
  const put = (some: readonly ClearFact[]): Promise<number> => applyBatch(pool, { ...projection, schema }, at, some);
  try {
    await put(facts);
  } catch (cause) {
    if (willPass(cause)) throw cause;
    for (const fact of facts)
      await put([fact]).catch((failure: unknown) => {
        if (willPass(failure)) throw failure;
        note(state, stream, fact.seq, failure);
      });
  }
}

const willPass = (cause: unknown): boolean => cause instanceof LoomError && cause.retry === 'later';

async function* inPages(facts: AsyncIterable<ClearFact>): AsyncGenerator<readonly ClearFact[]> {
  let waiting: ClearFact[] = [];
  for await (const fact of facts) {
    waiting.push(fact);
    if (waiting.length < page) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0) yield waiting;
}
