import { createContext, use } from 'react';
import type { Job, JobView } from '../../../../../packages/job/src/pure.ts';
import type { JobLog } from '../model/job-log.ts';

/** The job as it is shown: live, or at a point of its past. */
export interface ShownJob {
  readonly log: JobLog;
  readonly version: number;
  readonly job: Job;
  readonly view: JobView;
  /** How many facts are folded; null while it follows. */
  readonly position: number | null;
  readonly travel: (position: number | null) => void;
}

/** Where the slider stands; apart from the job, which is shown there as soon as it can be drawn. */
export const AimContext = createContext<number | null>(null);

/** Whose transcript is shown; apart from the job, since who goes from agent to agent changes nothing of it. */
export interface Choice {
  readonly agent: string | null;
  readonly choose: (agent: string) => void;
}

export const JobContext = createContext<ShownJob | null>(null);

export function useShown(): ShownJob {
  const shown = use(JobContext);
  if (shown === null) throw new Error('no job is shown here');
  return shown;
}

export const ChoiceContext = createContext<Choice>({ agent: null, choose: () => undefined });

/** The agent that was chosen, or the first one. */
export function useChoice(): Choice {
  const { job } = useShown();
  const { agent, choose } = use(ChoiceContext);
  const first = job.agents.keys().next().value ?? null;
  return { agent: agent !== null && job.agents.has(agent) ? agent : first, choose };
}
