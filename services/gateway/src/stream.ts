/**
 * Owns one client's stream of events.
 * G7  Ids rise by the log's order, every fact once: facts come from the log by position alone, hints and deltas only say when to look.
 * G8  The reader sets the pace. Deltas that it is too slow for are dropped, facts never; one that takes nothing for a minute is cut.
 */
import { Readable } from 'node:stream';
import type { Address, Fact } from '@loom/log';
import { bell } from './bell.ts';
import type { Bell } from './bell.ts';
import type { Parts } from './parts.ts';
import { isTerminal, present } from './present.ts';

interface Position {
  /** Sequence behind which it begins. */
  readonly after: number;
  readonly viewer: string;
}

/** A comment this often keeps proxies from closing the line, ms. */
const heartbeat = 15_000;
/** Looks again this long after a hint, whose fact may not be readable at once; else every second. ms */
const looks = [20, 150];
const poll = 1_000;
/** Between two looks, however fast hints come: what a busy job writes is read several facts at a time. ms */
const gap = 100;
/** Facts that are read together go out together, in pieces of about so many characters. */
const piece = 16_384;
const patience = 60_000;
const mostDeltas = 1_000;

/** Server-sent events of a job from a position on; ends after the terminal fact, or when the gateway drains. */
export function eventStream(parts: Parts, at: Address, position: Position): Readable {
  const closed = new AbortController();
  const signal = AbortSignal.any([closed.signal, parts.draining]);
  const line = new Line(parts, at, signal);
  const stream = Readable.from(line.frames(position), { objectMode: false, highWaterMark: 16_384 });
  const watchdog = setInterval(() => line.stalledFor() > patience && stream.destroy(), patience / 6);
  watchdog.unref();
  stream.once('close', () => {
    clearInterval(watchdog);
    closed.abort();
    line.stop();
  });
  return stream;
}

class Line {
  readonly #parts: Parts;
  readonly #at: Address;
  readonly #signal: AbortSignal;
  readonly #bell: Bell;
  readonly #stops: readonly (() => void)[];
  #deltas: string[] = [];
  /** Looks still owed to the last hint. */
  #look = 0;
  #handedAt = 0;
  #wroteAt = performance.now();

  constructor(parts: Parts, at: Address, signal: AbortSignal) {
    this.#parts = parts;
    this.#at = at;
    this.#signal = signal;
    this.#bell = bell(signal);
    this.#stops = [
      parts.hints.on(at, () => this.#hint()),
      parts.log.onLive(at.tenant, at.stream, (agent, text) => this.#delta(agent, text)),
    ];
  }

  /** How long the reader has taken nothing of what is waiting for it, ms. */
  stalledFor(): number {
    return this.#handedAt === 0 ? 0 : performance.now() - this.#handedAt;
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  async *frames({ after, viewer }: Position): AsyncGenerator<Buffer> {
    yield* this.#hand('retry: 1000\n\n');
    for (let last = after; !this.#signal.aborted;) {
      const looked = performance.now();
      const { seq, ended } = yield* this.#facts(last, viewer);
      if (ended) return;
      const quiet = seq === last;
      last = seq;
      const silent = performance.now() - this.#wroteAt >= heartbeat;
      if (quiet && (silent || this.#look === 1) && (await this.#isOver(last))) return;
      yield* this.#until(looked, quiet ? this.#pause() : gap);
      if (silent) yield* this.#hand(': still here\n\n');
    }
  }

  /** Hands over the facts that there are behind one, in pieces. Returns the last one's sequence, and whether it ended the job. */
  async *#facts(after: number, viewer: string): AsyncGenerator<Buffer, { seq: number; ended: boolean }> {
    let text = '';
    let last: Fact | null = null;
    for await (const fact of this.#parts.log.read(this.#at, { after })) {
      last = fact;
      text += frame(fact, viewer);
      if (isTerminal(fact)) break;
      if (text.length < piece) continue;
      yield* this.#hand(text);
      text = '';
    }
    if (text !== '') yield* this.#hand(text);
    return { seq: last?.seq ?? after, ended: last !== null && isTerminal(last) };
  }

  /** Nothing comes any more for who resumed behind the end; the fold that admitted him may have been too old to know it. */
  async #isOver(last: number): Promise<boolean> {
    const { ended } = await this.#parts.jobs.at({ tenant: this.#at.tenant, stream: this.#at.stream });
    return ended !== null && ended.seq <= last;
  }

  /** Hands over deltas as they come, until it is time to look at the log; a hint brings that forward to `gap` after the last look. */
  async *#until(looked: number, ms: number): AsyncGenerator<Buffer> {
    for (let until = performance.now() + ms; ;) {
      const deltas = this.#deltas.splice(0).join('');
      if (deltas !== '') yield* this.#hand(deltas);
      const left = until - performance.now();
      if (left <= 0 || this.#signal.aborted) return;
      await this.#bell.wait(left);
      if (this.#look === looks.length) until = Math.min(until, looked + gap);
    }
  }

  #pause(): number {
    if (this.#look === 0) return poll;
    const wait = looks[looks.length - this.#look] ?? 0;
    this.#look -= 1;
    return wait;
  }

  *#hand(text: string): Generator<Buffer> {
    this.#handedAt = performance.now();
    yield Buffer.from(text);
    this.#wroteAt = performance.now();
    this.#handedAt = 0;
  }

  #hint(): void {
    this.#look = looks.length;
    this.#bell.ring();
  }

  #delta(agent: string, text: string): void {
    if (this.#deltas.length >= mostDeltas) return;
    this.#deltas.push(`event: delta\ndata: ${JSON.stringify({ agent, text })}\n\n`);
    this.#bell.ring();
  }
}

const frame = (fact: Fact, viewer: string): string =>
  `id: ${fact.seq}\nevent: ${fact.type}\ndata: ${JSON.stringify(present(fact, viewer))}\n\n`;
