/**
 * Simulated time and chance. Owns the moments that are still to come, in the order in which they come; nothing waits for a real clock.
 * T1  Code that runs inside of a `Host` sees the host's timeline alone: timers, dates, random numbers and ids. Everybody else sees the real ones.
 * T2  What a host that died had still before it never comes; what a paused one had before it comes when it goes on.
 * T3  One moment is over, promises and all, before the next begins: the same seed is the same history.
 */
import type { Random } from '@loom/chaos';
import { AsyncLocalStorage } from 'node:async_hooks';

/** A process of the simulation: what belongs to it dies and pauses with it. */
export interface Host {
  readonly name: string;
  readonly timeline: Timeline;
  readonly random: Random;
  alive: boolean;
  /** Simulated ms; in the past when it is not paused. */
  pausedUntil: number;
}

interface Moment {
  at: number;
  order: number;
  readonly host: Host;
  readonly run: () => void;
  gone: boolean;
}

export interface Pending {
  cancel(): void;
}

const hosts = new AsyncLocalStorage<Host>();
const realImmediate = setImmediate;

/** The host whose code is running, if any. */
export const hostNow = (): Host | undefined => hosts.getStore();

export const inHost = <T>(host: Host, run: () => T): T => hosts.run(host, run);

const before = (a: Moment, b: Moment): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Timeline {
  now: number;
  /** Moments that came so far. */
  count = 0;
  readonly #heap: Moment[] = [];
  #order = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** Whole milliseconds. */
  in(ms: number, host: Host, run: () => void): Pending {
    const moment = { at: this.now + Math.max(0, Math.round(ms)), order: this.#order++, host, run, gone: false };
    this.#push(moment);
    return { cancel: () => void (moment.gone = true) };
  }

  /** Goes on until `done`, or nothing is to come, or `until` (simulated ms) is over. */
  async run(done: () => boolean, until: number): Promise<void> {
    while (!done()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) return;
      this.#pop();
      if (this.#come(next)) await new Promise<void>((resolve) => realImmediate(resolve));
    }
  }

  #come(moment: Moment): boolean {
    const { host, gone, run } = moment;
    if (gone || !host.alive) return false;
    this.now = Math.max(this.now, moment.at);
    if (host.pausedUntil > this.now) {
      this.#push({ ...moment, at: host.pausedUntil, order: this.#order++ });
      return false;
    }
    this.count += 1;
    hosts.run(host, run);
    return true;
  }

  #push(moment: Moment): void {
    const heap = this.#heap;
    let at = heap.push(moment) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(moment, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = moment;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
