import { metrics } from '@loom/service';

/** Settled calls by outcome and code. */
export const outcomes = metrics.counter('loom_sandbox_calls', 'Calls of the sandbox by outcome and code.');
