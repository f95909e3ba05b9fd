import type { FactType } from '@loom/schemas';
import { openCalls, type Job } from './state.ts';

export type Status =
  | 'queued'
  | 'planning'
  | 'running'
  | 'waiting_input'
  | 'waiting_approval'
  | 'waiting_budget'
  | 'completed'
  | 'failed'
  | 'refused'
  | 'cancelled';

const ends = {
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.refused': 'refused',
  'job.cancelled': 'cancelled',
} as const;

/** The facts that end a job, one of them once. */
export const endTypes = Object.keys(ends) as readonly (keyof typeof ends)[];

export const isEnd = ({ type }: { readonly type: FactType }): boolean => Object.hasOwn(ends, type);

/** The status word of api.md. A job waits only when nothing is in flight. */
export function status(job: Job): Status {
  if (job.ended) return ends[job.ended.type];
  if (!job.accepted) return 'queued';
  const busy = job.unsettled.size + openCalls(job).length > 0;
  if (!busy && job.exhausted !== null) return 'waiting_budget';
  if (!busy && openQuestions(job).length > 0) return 'waiting_input';
  return job.agents.size > 1 ? 'running' : 'planning';
}

/** Questions of agents that nobody has answered yet. */
export const openQuestions = (job: Job): { id: string; agent: string; question: string }[] =>
  job.ended
    ? []
    : [...job.calls.values()]
        .filter((call) => call.where === 'person' && call.result === null && !job.agents.get(call.agent)?.finished)
        .map((call) => ({ id: call.key, agent: call.agent, question: call.question ?? '' }));

/** Why work asked for under this epoch must not begin any more; null when it may. */
export function halted(job: Job, work: { readonly agent: string; readonly epoch: number }): string | null {
  if (job.ended) return 'job_ended';
  if (job.killRequested) return 'killed';
  if (work.epoch < job.epoch) return 'epoch_passed';
  const agent = job.agents.get(work.agent);
  return agent?.killRequested || agent?.finished ? 'killed' : null;
}
