/** The fold for where there is no Node: a browser shows what the services decide on, by the same code. */
import type { Fact } from '@loom/log';
import { evolveFact, type OpenBundle } from './domain/evolve.ts';
import type { Job } from './domain/state.ts';

export { essenceOf } from './domain/essence.ts';
export { emptyJob } from './domain/state.ts';
export type { Agent, Call, Job, Turn } from './domain/state.ts';
export { view, type AgentView, type JobView } from './view.ts';

/** The API shows a bundle's facts as they are opened. */
const shown: OpenBundle = ({ bundle }) => bundle as unknown as readonly Fact[];

/** Folds one fact, as `evolve` does but for the chain, whose sums no API shows. */
export const foldFact = (job: Job, fact: Fact): Job => foldWith(job, fact, shown);

/** The same for who has bundles in bytes. */
export function foldWith(job: Job, fact: Fact, open: OpenBundle): Job {
  if (fact.seq <= job.seq) return job;
  evolveFact(job, fact, open);
  job.seq = fact.seq;
  job.time = fact.time;
  if (!isTimer(fact)) job.activeAt = fact.time;
  job.facts += 1;
  if (fact.source === 'orchestrator') job.orchestratorSeq = fact.seq;
  return job;
}

/** A timer is no sign of life, nor is one that is served again. */
const isTimer = ({ source, type, items }: Fact): boolean =>
  source === 'timer' ||
  (type === 'record.replayed' &&
    items.every((item) => item.type === 'record.replayed' && item.body.type === 'timer.fired'));
