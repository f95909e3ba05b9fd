import { lastTurn, type Agent, type Attempt, type Job } from './state.ts';

interface Tried {
  readonly attempt: number;
  readonly settled: { readonly outcome: string; readonly failure: string } | null;
}

interface Limits {
  readonly max_attempts: number;
  readonly parked_ms: number;
}

/** Whether the attempt failed in a way that may pass: another one makes sense. */
export const mayPass = ({ settled }: Pick<Tried, 'settled'>): boolean =>
  settled !== null && ['failed', 'lost'].includes(settled.outcome) && settled.failure !== 'terminal';

/** Whether no attempt follows it by itself. */
export const isSpent = ({ attempt }: Pick<Tried, 'attempt'>, limits: Pick<Limits, 'max_attempts'>): boolean =>
  attempt >= limits.max_attempts;

/** Whether a failed attempt leaves its step to an operator. */
export const isParking = (tried: Tried, limits: Limits): boolean =>
  mayPass(tried) && isSpent(tried, limits) && limits.parked_ms > 0;

/** What the timer of an attempt that is parked is called. */
export const parkingTimer = (key: string): string => `parked-${key}`;

/**
 * The attempt that an agent is parked behind: its tries have run out, and until its deadline an operator may have it tried once more or give it up.
 * A state of the fold: no fact says so but the failure itself.
 */
export function parkedAttempt(job: Job, agent: Agent): Attempt | null {
  const attempt = lastTurn(agent)?.attempts.at(-1);
  if (job.ended || !job.accepted || agent.finished || !attempt) return null;
  if (attempt.resolved !== null || job.fired.has(parkingTimer(attempt.key))) return null;
  return isParking(attempt, job.accepted.limits) ? attempt : null;
}
