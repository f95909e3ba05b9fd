/** The fold for where there is no Node: a browser shows what the services decide on, by the same code. */
import type { Fact } from '@loom/log';
import { evolveFact } from './domain/evolve.ts';
import type { Job } from './domain/state.ts';

export { essenceOf } from './domain/essence.ts';
export { emptyJob } from './domain/state.ts';
export type { Agent, Call, Job, Turn } from './domain/state.ts';
export { view, type AgentView, type JobView } from './view.ts';

/** Folds one fact, as `evolve` does but for the chain, whose sums no API shows. */
export function foldFact(job: Job, fact: Fact): Job {
  if (fact.seq <= job.seq) return job;
  evolveFact(job, fact);
  job.seq = fact.seq;
  job.time = fact.time;
  if (fact.source !== 'timer') job.activeAt = fact.time;
  job.facts += 1;
  if (fact.source === 'orchestrator') job.orchestratorSeq = fact.seq;
  return job;
}
