import { Failure } from '../failure.ts';

/** Dollars as typed, in micro-USD. */
export function budgetOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const micros = Math.round(Number(text) * 1_000_000);
  if (!Number.isSafeInteger(micros) || micros < 0 || text.trim() === '')
    throw new Failure(2, `--budget takes dollars like 2.50, not ${text}`);
  return micros;
}
