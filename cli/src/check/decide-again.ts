import { openBundle, type Job } from '@loom/job';
import type { Draft, Item } from '@loom/log';
import { decide, DECIDER, noSettings } from '@loom/orchestrator';
import type { Intake } from '@loom/orchestrator';
import type { Bodies } from '@loom/schemas';

/**
 * What the decider says of a state that a decision of the log stands on, with the settings that `job.accepted` recorded.
 * Null where it cannot be asked: another version decided, or the decision told of settings that nobody recorded.
 */
export function decideAgain(job: Job, recorded: readonly Item[]): readonly Draft[] | null {
  const accepted = acceptedOf(job, recorded);
  return accepted !== null && accepted.decider !== DECIDER ? null : decideNow(job, recorded);
}

/** The same whichever version decided: what the running decider would do there. */
export function decideNow(job: Job, recorded: readonly Item[]): readonly Draft[] | null {
  const accepted = acceptedOf(job, recorded);
  const forked = recorded.find((item) => item.type === 'job.forked')?.body;
  if (forked)
    return decide(job, { ...noSettings, parent: { facts: openBundle(forked), requestKey: forked.request_key } });
  if (accepted !== null) return decide(job, intakeOf(accepted));
  if (recorded.some((item) => item.type === 'job.failed')) return null;
  // A refusal or an early end asks for none; a job that should have been taken in comes out otherwise.
  return decide(job, noSettings);
}

const acceptedOf = (job: Job, recorded: readonly Item[]): Bodies['job.accepted'] | null =>
  job.accepted ?? recorded.find((item) => item.type === 'job.accepted')?.body ?? null;

function intakeOf(accepted: Bodies['job.accepted']): Intake {
  const { models, prices, price_version: priceVersion, budget_micros: defaultBudgetMicros, limits } = accepted;
  return { models, prices, priceVersion, defaultBudgetMicros, limits };
}
