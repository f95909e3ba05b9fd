/** Bytes below which two of them make at least one token: prose has four, tables of figures two and a half. */
const LEAST_BYTES_A_TOKEN = 2;

/** Part of the time to the deadline that is kept for settling, and the most of it, ms. */
const KEPT = 0.1;
const MOST_KEPT = 2_000;

export interface Bounds {
  /** Upper bound of the request's input tokens: its bytes. */
  readonly inputBound: number;
  readonly inputTokensMax: number;
  /** Input tokens up to which the model answers at its price. */
  readonly context: number;
}

/** Why the call must not be made; null when it may. */
export function overBound({ inputBound, inputTokensMax, context }: Bounds): string | null {
  if (inputBound > inputTokensMax) return 'input_over_reservation';
  return inputBound / LEAST_BYTES_A_TOKEN > context ? 'input_over_context' : null;
}

/** Milliseconds that a call may take, so that its own outcome comes before the orchestrator's at the deadline. */
export function allowance(deadline: number, now: number): number {
  const left = deadline - now;
  return Math.max(Math.floor(left - Math.min(left * KEPT, MOST_KEPT)), 0);
}
