/** A span of the log into a target: paced, with progress, going on where an earlier run ended. */
import { readSpan, sumOfRaw } from '@loom/log';
import type { Gap, Log, RawFact, Span } from '@loom/log';
import { LoomError } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';

/** What takes copies: always holds a beginning of the span, and knows its end. */
export interface Target extends AsyncDisposable {
  /** Last sequence held of each stream. */
  positions(): Promise<ReadonlyMap<string, number>>;
  /** `gaps`: all that this run has met. @throws LoomError `log_unavailable`: it is to be begun again at `positions` */
  take(facts: readonly RawFact[], gaps: readonly Gap[]): Promise<void>;
  /** All is there; how many facts the target holds. */
  finish(gaps: readonly Gap[]): Promise<number>;
  read(): AsyncIterable<RawFact>;
}

export interface Copied {
  /** By this run. */
  readonly copied: number;
  /** In the target. */
  readonly facts: number;
  readonly gaps: readonly Gap[];
}

interface Options {
  /** Facts a second, at most; null: as fast as it goes. */
  readonly rate: number | null;
  readonly onProgress: (copied: number, time: number) => void;
}

/** Times that a target may lose its place without coming on between them. */
const tries = 5;

export async function copySpan(log: Log, span: Span, target: Target, { rate, onProgress }: Options): Promise<Copied> {
  const gaps = new Map<string, Gap>();
  const onGap = (gap: Gap): void => void gaps.set(`${gap.stream} ${gap.to}`, gap);
  const pace = pacer(rate);
  let copied = 0;
  for (let failures = 0; ;) {
    const before = copied;
    try {
      for await (const page of pages(readSpan(log, span, await target.positions(), onGap), pageSize(rate))) {
        await pace(page.length);
        await target.take(page, [...gaps.values()]);
        copied += page.length;
        onProgress(copied, page.at(-1)?.time ?? span.since);
      }
      const all = [...gaps.values()];
      return { copied, facts: await target.finish(all), gaps: all };
    } catch (cause) {
      failures = copied > before ? 1 : failures + 1;
      if (!(cause instanceof LoomError && cause.code === 'log_unavailable') || failures >= tries) throw cause;
      await sleep(200 * failures);
    }
  }
}

/** Small enough that a slow copy goes on evenly. */
const pageSize = (rate: number | null): number =>
  rate === null ? 200 : Math.max(1, Math.min(200, Math.floor(rate / 5)));

function pacer(rate: number | null): (facts: number) => Promise<void> {
  let due = performance.now();
  return async (facts) => {
    if (rate === null) return;
    due = Math.max(due, performance.now() - 1000);
    // A timer may end a little early.
    for (let left = due - performance.now(); left > 0; left = due - performance.now()) await sleep(Math.ceil(left));
    due += (facts / rate) * 1000;
  };
}

async function* pages(facts: AsyncIterable<RawFact>, size: number): AsyncGenerator<readonly RawFact[]> {
  let page: RawFact[] = [];
  for await (const fact of facts) {
    page.push(fact);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Holds every copy to its own sum and to the order of its stream. How many there are. @throws Failure 1 at the first that differs */
export async function verifyCopies(copies: AsyncIterable<RawFact>): Promise<number> {
  const last = new Map<string, number>();
  let count = 0;
  for await (const fact of copies) {
    const { stream, seq, headers } = fact;
    if (seq <= (last.get(stream) ?? 0))
      throw new Failure(1, `the copy of ${stream} ${seq} does not lie behind ${last.get(stream)}`);
    if (headers.find(([name]) => name === 'loom-sum')?.[1] !== sumOfRaw(fact))
      throw new Failure(1, `the copy of ${stream} ${seq} does not have its sum`);
    last.set(stream, seq);
    count += 1;
  }
  return count;
}
