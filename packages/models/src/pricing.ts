import { createHash } from 'node:crypto';
import type { ModelPort, Usage } from './port.ts';

export type Provider = ModelPort['provider'];

/** Integer micro-USD per million tokens; the record of `job.accepted.prices`. */
export interface Price {
  readonly model: string;
  readonly input_micros_per_mtok: number;
  readonly cached_micros_per_mtok: number;
  readonly output_micros_per_mtok: number;
}

/** `context`: input tokens up to which the price holds and the provider answers. `maxOutput`: most tokens of an answer. */
export interface ModelInfo {
  readonly id: string;
  readonly provider: Provider;
  readonly context: number;
  readonly maxOutput: number;
  readonly price: Price;
}

const MTOK = 1_000_000n;

/** Writing to the prompt cache costs 5/4 of the input price at both providers (Anthropic's 5-minute cache, OpenAI's 30-minute one). */
const WRITE = { of: 5n, in: 4n };

const ceilDiv = (amount: bigint, by: bigint): number => Number((amount + by - 1n) / by);

/** What a call cost, in micro-USD, rounded up. Exact: no float comes near it. */
export function cost(price: Price, usage: Usage): number {
  const written = BigInt(usage.written ?? 0);
  const cached = BigInt(usage.cached);
  const fresh = BigInt(usage.input) - cached - written;
  const input = BigInt(price.input_micros_per_mtok);
  const amount =
    (fresh * input +
      cached * BigInt(price.cached_micros_per_mtok) +
      BigInt(usage.output) * BigInt(price.output_micros_per_mtok)) *
    WRITE.in;
  return ceilDiv(amount + written * input * WRITE.of, MTOK * WRITE.in);
}

/** The most that a call can cost, in micro-USD: all input written to the cache, all output used. Never below `cost` of a call within the bounds. */
export function reserve(price: Price, inputTokensMax: number, maxTokens: number): number {
  const dearest = Math.max(price.input_micros_per_mtok, Math.ceil((price.cached_micros_per_mtok * 4) / 5));
  return cost(
    { ...price, input_micros_per_mtok: dearest },
    { input: inputTokensMax, cached: 0, written: inputTokensMax, output: maxTokens },
  );
}

export const isFree = (price: Price): boolean =>
  price.input_micros_per_mtok === 0 && price.cached_micros_per_mtok === 0 && price.output_micros_per_mtok === 0;

export const freePrice = (model: string): Price => ({
  model,
  input_micros_per_mtok: 0,
  cached_micros_per_mtok: 0,
  output_micros_per_mtok: 0,
});

/** Name of a price book: the first 16 hex digits of the SHA-256 of its rows, sorted by model. */
export function priceVersionOf(prices: readonly Price[]): string {
  const rows = prices
    .map((price) => [
      price.model,
      price.input_micros_per_mtok,
      price.cached_micros_per_mtok,
      price.output_micros_per_mtok,
    ])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 16);
}
