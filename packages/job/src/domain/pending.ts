import { nextRecorded } from './fork.ts';
import { openAttempts, openCalls, type Job } from './state.ts';
import type { FactType } from '@loom/schemas';

/** A request of work that a decision holds and that is not yet known to be on its way. */
export interface Dispatch {
  readonly seq: number;
  readonly type: FactType;
  readonly key: string;
}

/** Requests still to be dispatched, derived from the decisions alone (invariant 3). In a playback each waits until its outcome is what is served next. */
export function pendingDispatches(job: Job): readonly Dispatch[] {
  const next = nextRecorded(job) ?? null;
  if (next === null) return unsent(job);
  return next.kind === 'outcome' ? unsent(job).filter(({ key }) => key === next.slot) : [];
}

function unsent(job: Job): readonly Dispatch[] {
  const steps = openAttempts(job)
    .filter(({ sent }) => !sent)
    .map(({ decision, key }): Dispatch => ({ seq: decision, type: 'step.requested', key }));
  const calls = openCalls(job)
    .filter(({ sent }) => !sent)
    .map(({ decision, key, where }): Dispatch => ({
      seq: decision,
      type: where === 'runner' ? 'tool.requested' : 'run.requested',
      key,
    }));
  return [...steps, ...calls];
}
