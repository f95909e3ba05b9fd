import { asked, type Agent, type Job } from '@loom/job';
import { reserve } from '@loom/models';
import { draft, type Decision } from './draft.ts';
import { priceOf, termsOf } from './terms.ts';

/** What is left to give while one decision is put together: one for all agents, so that none gets what another got. */
export interface Purse {
  /** For reservations (invariant: settled + reserved ≤ cap). */
  micros: number;
  slots: number;
  /** Worst case of the first step that did not fit. */
  short: number | null;
  /** Agents that may still be spawned, and the number in the name of the next. */
  readonly spawns: Spawns;
}

export interface Spawns {
  left: number;
  next: number;
}

export const purseOf = (job: Job, inFlight: number): Purse => ({
  micros: job.money.cap - job.money.settled - job.money.reserved,
  slots: termsOf(job).limits.max_in_flight - inFlight,
  short: null,
  spawns: { left: termsOf(job).limits.max_agents - job.agents.size, next: job.agents.size },
});

export interface StepPlan {
  readonly agent: Agent;
  readonly step: number;
  readonly attempt: number;
}

/** The request of a step with its worst case: input bounded by the bytes of the conversation, output by the clamp, at the recorded price. */
export function stepRequest(job: Job, plan: StepPlan): Extract<Decision, { type: 'step.requested' }> {
  const accepted = termsOf(job);
  const { model } = plan.agent.spawned;
  const price = priceOf(job, model);
  const maxTokens = Math.min(accepted.limits.max_output_tokens, price.max_output_tokens);
  const moment = { agent: plan.agent.id, step: plan.step, upto: job.seq, model, maxTokens };
  const { inputBound: bound } = asked(job, moment);
  return draft('step.requested', `${plan.agent.id}-${plan.step}-${plan.attempt}`, {
    agent: plan.agent.id,
    step: plan.step,
    attempt: plan.attempt,
    epoch: job.epoch,
    model,
    max_tokens: maxTokens,
    input_tokens_max: bound,
    reserved_micros: reserve(price, bound, maxTokens),
    price_version: accepted.price_version,
    deadline_ms: accepted.limits.step_deadline_ms,
    upto: job.seq,
  }) as Extract<Decision, { type: 'step.requested' }>;
}

/** Answers to people who asked for another cap; a lowered one never falls below what is spent or promised. */
export function budgetAnswers(job: Job): readonly Decision[] {
  const floor = job.money.settled + job.money.reserved;
  return job.budgetAsks
    .filter(({ answered }) => !answered)
    .map(({ key, budgetMicros }) =>
      draft('budget.changed', key, { request: key, budget_micros: Math.max(budgetMicros, floor) }),
    );
}

/** The job asks for money when a step does not fit and nothing in flight could give any back. */
export function askForBudget(job: Job, needed: number): readonly Decision[] {
  const { cap, settled, reserved } = job.money;
  if (job.exhausted !== null || reserved > 0) return [];
  return [
    draft('budget.exhausted', String(job.exhaustions + 1), {
      needed_micros: settled + reserved + needed,
      budget_micros: cap,
      settled_micros: settled,
      reserved_micros: reserved,
    }),
  ];
}
