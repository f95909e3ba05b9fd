const first = 250;
const longest = 30_000;

/** Milliseconds to wait before try `attempt` + 1 (attempts from 1): 250 doubling up to 30,000, jittered down by at most a fifth. */
export function backoffMs(attempt: number): number {
  const full = Math.min(longest, first * 2 ** Math.max(0, Math.min(attempt - 1, 16)));
  return Math.round(full * (0.8 + Math.random() * 0.2));
}
