import { metrics } from '@loom/service';

/** Settled calls by outcome and code. */
export const outcomes = metrics.counter('loom_sandbox_calls', 'Calls of the sandbox by outcome and code.');

/** Wall clock of runs. */
export const durations = metrics.histogram(
  'loom_sandbox_run_seconds',
  'Wall clock of runs, container included.',
  [0.25, 0.5, 1, 2, 4, 8, 16, 30],
);
