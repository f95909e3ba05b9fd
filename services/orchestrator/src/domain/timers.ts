import {
  isSpent,
  lastTurn,
  mayPass,
  openAttempts,
  openCalls,
  parkedAttempt,
  playsBack,
  type Attempt,
  type Job,
} from '@loom/job';

import { termsOf } from './terms.ts';

/** A moment at which the job must be looked at again; `due` is Unix milliseconds of the server. */
export interface Timer {
  readonly kind: 'step' | 'tool' | 'retry' | 'parked' | 'halt' | 'silence';
  readonly key: string;
  readonly due: number;
}

/** How long a worker may take to settle its slot after a kill before the orchestrator does. */
const HALT_GRACE_MS = 10_000;
/** A worker gives up at its deadline and says so; only one that is gone leaves the slot to the orchestrator. */
const DEADLINE_GRACE_MS = 5_000;
const MOST_BACKOFF_MS = 60_000;

/** All timers that a job waits for; derived from its facts, so they can be armed again at any time. A playback has its parent's. */
export function timers(job: Job): readonly Timer[] {
  if (job.ended || !job.accepted || playsBack(job)) return [];
  const due = [
    ...openAttempts(job).map(({ key, requestedAt, deadlineMs }): Timer => ({
      kind: 'step',
      key,
      due: requestedAt + deadlineMs + DEADLINE_GRACE_MS,
    })),
    ...openCalls(job).map(({ key, requestedAt, deadlineMs }): Timer => ({
      kind: 'tool',
      key,
      due: requestedAt + deadlineMs + DEADLINE_GRACE_MS,
    })),
    ...retries(job),
    ...halts(job),
    silence(job),
  ];
  return due.filter(({ kind, key }) => !job.fired.has(`${kind}-${key}`));
}

/** Where an attempt failed that may pass: when the next one is due, or when nobody is waited for any more. */
function retries(job: Job): Timer[] {
  return [...job.agents.values()].flatMap((agent): Timer[] => {
    const turn = lastTurn(agent);
    const attempt = turn?.attempts.at(-1);
    if (agent.finished || !attempt || turn?.reply || !mayPass(attempt)) return [];
    const { key, settledAt } = attempt;
    const { limits } = termsOf(job);
    if (!isSpent(attempt, limits)) return [{ kind: 'retry', key, due: settledAt + backoff(job, attempt) }];
    return parkedAttempt(job, agent) ? [{ kind: 'parked', key, due: settledAt + limits.parked_ms }] : [];
  });
}

/** What the provider asked for, or doubling from one second; jitter is a hash of job, step and attempt, 0.5 to 1.5. */
function backoff(job: Job, attempt: Attempt): number {
  const asked = attempt.settled?.retry_after_ms ?? 0;
  const own = Math.min(1000 * 2 ** (attempt.attempt - 1), MOST_BACKOFF_MS);
  return Math.max(asked, Math.round((own * (500 + (spread(`${job.stream}/${attempt.key}`) % 1000))) / 1000));
}

/** FNV-1a: enough to keep retries of many jobs apart. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

function halts(job: Job): Timer[] {
  const halted =
    job.haltedAt > 0 &&
    (job.killRequested || [...job.agents.values()].some((agent) => agent.killRequested && !agent.finished));
  return halted ? [{ kind: 'halt', key: '0', due: job.haltedAt + HALT_GRACE_MS }] : [];
}

/** One timer at a time, keyed by the moment from which the silence counts. */
const silence = (job: Job): Timer => ({
  kind: 'silence',
  key: String(job.silenceFrom),
  due: job.silenceFrom + (job.accepted?.limits.silence_ms ?? 0),
});
