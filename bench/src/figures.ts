/** What a benchmark says: one figure beside its reference, as `./loom bench --json` prints it. */

export interface Figure {
  readonly bench: string;
  readonly case: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: string;
  readonly reference_value: number;
  /** Above 1: better than the reference. */
  readonly ratio: number;
}

/** One round of something that is measured, by metric. */
export type Round = Readonly<Record<string, number>>;

interface Metric {
  readonly unit: string;
  readonly better: 'more' | 'less';
}

const metrics: Readonly<Record<string, Metric>> = {
  steps: { unit: '1/s', better: 'more' },
  decisions: { unit: '1/s', better: 'more' },
  appends: { unit: '1/s', better: 'more' },
  facts: { unit: '1/s', better: 'more' },
  fold: { unit: 'ms', better: 'less' },
  start: { unit: 'ms', better: 'less' },
  busy: { unit: 'ms', better: 'less' },
  p50: { unit: 'ms', better: 'less' },
  p99: { unit: 'ms', better: 'less' },
  cpu: { unit: 'µs/step', better: 'less' },
  memory: { unit: 'MiB', better: 'less' },
};

/** The middle of the values, or of the two in the middle their mean; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The value below which `part` (0…1) of the sorted values lie; NaN of none. */
export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

const rounded = (value: number): number => Number(value.toPrecision(4));

/**
 * One figure a metric. Value, reference and ratio are each the median over the rounds; the ratio that of each round's own
 * pair, so that a load which comes and goes weighs on both sides alike.
 */
export function figures(
  name: { readonly bench: string; readonly case: string; readonly reference: string },
  rounds: readonly { readonly ours: Round; readonly theirs: Round }[],
): Figure[] {
  return Object.keys(rounds[0]?.ours ?? {}).map((metric) => {
    const { unit, better } = metrics[metric]!;
    const pairs = rounds.map(({ ours, theirs }) => [ours[metric]!, theirs[metric]!] as const);
    return {
      bench: name.bench,
      case: name.case,
      metric,
      value: rounded(median(pairs.map(([own]) => own))),
      unit,
      reference: name.reference,
      reference_value: rounded(median(pairs.map(([, other]) => other))),
      ratio: rounded(median(pairs.map(([own, other]) => (better === 'more' ? own / other : other / own)))),
    };
  });
}
