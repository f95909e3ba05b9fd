/**
 * Owns what one worker process has measured since the last reset: when each loop's step was settled, when its next
 * request came, and what is between. A loop is a job, or a subject of the raw side.
 */
import { quantile } from './figures.ts';

interface Loop {
  settledAt: number;
  first: number;
  last: number;
  steps: number;
}

export interface Measured {
  readonly steps: number;
  /** Steps a second while all loops ran; of one loop after another: while one ran. */
  readonly rate: number;
  /** ms from the settling of a step to the receipt of the next request. */
  readonly p50: number;
  readonly p99: number;
}

export class Meter {
  #loops = new Map<string, Loop>();
  #waits: number[] = [];
  #receipts: number[] = [];

  reset(): void {
    this.#loops = new Map();
    this.#waits = [];
    this.#receipts = [];
  }

  /** The worker begins to append a settled step. */
  settling(loop: string): void {
    this.#of(loop).settledAt = performance.now();
  }

  /** A request has come. */
  received(loop: string): void {
    const one = this.#of(loop);
    const now = performance.now();
    if (one.settledAt > 0) this.#waits.push(now - one.settledAt);
    one.settledAt = 0;
    one.first ||= now;
    one.last = now;
    one.steps += 1;
    this.#receipts.push(now);
  }

  /** @param together whether the loops ran at once: then what counts is the time in which all of them did */
  measured(together: boolean): Measured {
    const waits = this.#waits.toSorted((a, b) => a - b);
    const [steps, seconds] = together ? this.#whileAll() : this.#oneByOne();
    return { steps, rate: steps / seconds, p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) };
  }

  #whileAll(): readonly [number, number] {
    const loops = [...this.#loops.values()];
    const from = Math.max(...loops.map(({ first }) => first));
    const to = Math.min(...loops.map(({ last }) => last));
    return [this.#receipts.filter((at) => at > from && at <= to).length, (to - from) / 1000];
  }

  #oneByOne(): readonly [number, number] {
    const loops = [...this.#loops.values()];
    const seconds = loops.reduce((sum, { first, last }) => sum + (last - first) / 1000, 0);
    return [loops.reduce((sum, { steps }) => sum + steps - 1, 0), seconds];
  }

  #of(name: string): Loop {
    const known = this.#loops.get(name);
    if (known !== undefined) return known;
    const made = { settledAt: 0, first: 0, last: 0, steps: 0 };
    this.#loops.set(name, made);
    return made;
  }
}

interface Timed<T> {
  readonly ms: number;
  /** Processor time of this process, all of its threads, ms. */
  readonly busy: number;
  readonly value: T;
}

export async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const value = await work();
  const { user, system } = process.cpuUsage(used);
  return { ms: performance.now() - began, busy: (user + system) / 1000, value };
}
