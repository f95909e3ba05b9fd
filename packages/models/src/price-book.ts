import type { ModelInfo } from './pricing.ts';

/** Micro-USD per million tokens, from US dollars per million tokens in list prices. */
const usd = (dollars: number): number => Math.round(dollars * 1_000_000);

type Row = readonly [id: string, input: number, cached: number, output: number, context: number, maxOutput: number];

/**
 * US dollars per million tokens: list prices of the standard tier, read in November 2026 from
 * https://platform.claude.com/docs/en/about-claude/pricing and https://developers.openai.com/api/docs/pricing (in part by way of
 * pages that quote them). They are data, they change, and they are to be checked before a bill is made from them: LOOM_MODEL_PRICES
 * overrides any of them. Where a provider charges long prompts more (Haiku 5.5 above 100,000 tokens, GPT-5.4 and later above 272,000),
 * `context` ends there, so that one price holds. Promotions are left out: GPT-5.6 Sol stands at the price that returns when its ends.
 */
const anthropic: readonly Row[] = [
  ['claude-opus-5-5', 4, 0.2, 20, 1_000_000, 128_000],
  ['claude-opus-5', 5, 0.5, 25, 1_000_000, 128_000],
  ['claude-opus-4-8', 5, 0.5, 25, 1_000_000, 128_000],
  ['claude-sonnet-5-5', 2, 0.1, 10, 1_000_000, 128_000],
  ['claude-sonnet-5', 2, 0.2, 10, 1_000_000, 128_000],
  ['claude-sonnet-4-6', 3, 0.3, 15, 1_000_000, 64_000],
  ['claude-haiku-5-5', 0.1, 0.01, 0.5, 100_000, 128_000],
  ['claude-haiku-4-5', 1, 0.1, 5, 200_000, 64_000],
];

const openai: readonly Row[] = [
  ['gpt-6.1-sol', 2, 0.1, 10, 272_000, 128_000],
  ['gpt-6.1-terra', 1, 0.05, 5, 272_000, 128_000],
  ['gpt-6-luna', 0.1, 0.01, 0.5, 272_000, 128_000],
  ['gpt-5.6-sol', 5, 0.5, 30, 272_000, 128_000],
  ['gpt-5.6-terra', 2, 0.2, 12, 272_000, 128_000],
  ['gpt-5.6-luna', 0.2, 0.02, 1.2, 272_000, 128_000],
  ['gpt-5.5', 5, 0.5, 30, 272_000, 128_000],
  ['gpt-5.4', 2.5, 0.25, 15, 272_000, 128_000],
  ['gpt-5.4-mini', 0.75, 0.075, 4.5, 272_000, 128_000],
  ['gpt-5.1', 1.25, 0.125, 10, 272_000, 128_000],
  ['gpt-5', 1.25, 0.125, 10, 272_000, 128_000],
  ['gpt-5-mini', 0.25, 0.025, 2, 272_000, 128_000],
  ['gpt-5-nano', 0.05, 0.005, 0.4, 272_000, 128_000],
];

const info =
  (provider: ModelInfo['provider']) =>
  ([id, input, cached, output, context, maxOutput]: Row): ModelInfo => ({
    id,
    provider,
    context,
    maxOutput,
    price: {
      model: id,
      input_micros_per_mtok: usd(input),
      cached_micros_per_mtok: usd(cached),
      output_micros_per_mtok: usd(output),
    },
  });

/** The rule-based model: it runs in the runner's own process and costs nothing. */
const offline: ModelInfo = info('offline')(['offline', 0, 0, 0, 1_000_000, 64_000]);

/** Every model that Loom knows by name, with what it may be given, what it may answer, and what it costs. */
export const modelTable: readonly ModelInfo[] = [
  ...anthropic.map(info('anthropic')),
  ...openai.map(info('openai')),
  offline,
];
