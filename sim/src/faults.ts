/** Which fault strikes when: drawn from the seed, counted by what really happened. */
import type { Random } from '@loom/chaos';

export const faultNames = [
  'drop',
  'duplicate',
  'delay',
  'reorder',
  'crash before append',
  'crash after append',
  'pause',
  'stale read',
  'slow commit',
  'slipped dispatch',
  'split lease',
  'model failure',
  'late answer',
] as const;

export type FaultName = (typeof faultNames)[number];
export type Counts = Record<FaultName, number>;

export const noCounts = (): Counts => Object.fromEntries(faultNames.map((name) => [name, 0])) as Counts;

export class Faults {
  readonly counts = noCounts();
  /** Facts before or behind which a process died, by source and type. */
  readonly crashes = new Set<string>();
  readonly #random: Random;
  readonly #rates: Readonly<Partial<Record<FaultName, number>>>;
  #calm = false;

  constructor(random: Random, rates: Readonly<Partial<Record<FaultName, number>>>) {
    this.#random = random;
    this.#rates = rates;
  }

  /** Whether it happens here; then it is counted. */
  strikes(name: FaultName): boolean {
    const strikes = this.draws(name);
    if (strikes) this.count(name);
    return strikes;
  }

  /** The same for what only might happen: it is counted when it did. */
  draws(name: FaultName): boolean {
    const rate = this.#rates[name] ?? 0;
    return !this.#calm && rate > 0 && this.#random.chance(rate);
  }

  count(name: FaultName): void {
    this.counts[name] += 1;
  }

  /** Ms, from `least` to below `most`. */
  between(least: number, most: number): number {
    return least + this.#random.below(most - least);
  }

  /** From here on nothing happens any more. */
  end(): void {
    this.#calm = true;
  }
}
