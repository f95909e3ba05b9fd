/** What a job costs, counted from its facts by the rules of the price book that its own `job.accepted` records. */
import type { ClearFact, ClearItem } from '@loom/log';

type Of<T extends ClearItem['type']> = Extract<ClearItem, { type: T }>;
type Prices = Of<'job.accepted'>['body']['prices'];

export function itemsOf<T extends ClearItem['type']>(facts: readonly ClearFact[], type: T): Of<T>[] {
  return facts.flatMap(({ items }) => items.filter((item): item is Of<T> => item.type === type));
}

interface Used {
  readonly model: string;
  /** All input tokens, the cached and written ones too. */
  readonly in: number;
  readonly cached: number;
  readonly written: number;
  readonly out: number;
}

/** Tokens × price per million, in micro-USD, rounded up; writing to a cache costs 5/4 of the input price. Exact. */
export function priced(prices: Prices, used: Used): number {
  const price = prices.find(({ model }) => model === used.model);
  if (!price) throw new Error(`no price of ${used.model} is on record`);
  const quarters = [
    BigInt(4 * (used.in - used.cached - used.written) + 5 * used.written) * BigInt(price.input_micros_per_mtok),
    BigInt(4 * used.cached) * BigInt(price.cached_micros_per_mtok),
    BigInt(4 * used.out) * BigInt(price.output_micros_per_mtok),
  ];
  return Number((quarters.reduce((sum, part) => sum + part, 0n) + 3_999_999n) / 4_000_000n);
}

export interface Balance {
  readonly cap: number;
  readonly reserved: number;
  readonly settled: number;
}

class Account {
  #cap = 0;
  #settled = 0;
  readonly #reserved = new Map<string, number>();

  take(item: ClearItem): void {
    if (item.type === 'job.accepted' || item.type === 'budget.changed') this.#cap = item.body.budget_micros;
    if (item.type === 'step.requested') this.#reserved.set(item.key, item.body.reserved_micros);
    if (item.type === 'model.called') this.#settled += item.body.cost_micros;
    if (item.type !== 'step.settled') return;
    this.#reserved.delete(item.key);
    this.#settled += item.body.cost_micros;
  }

  balance(): Balance {
    const reserved = [...this.#reserved.values()].reduce((sum, micros) => sum + micros, 0);
    return { cap: this.#cap, reserved, settled: this.#settled };
  }
}

/** The balance after each item of a job, in order. */
export function balances(facts: readonly ClearFact[]): readonly Balance[] {
  const account = new Account();
  return facts.flatMap(({ items }) => items).map((item) => (account.take(item), account.balance()));
}
