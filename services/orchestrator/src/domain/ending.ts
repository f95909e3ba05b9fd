import { artifactList, openCalls, type Agent, type Job } from '@loom/job';
import { draft, type Decision } from './draft.ts';

/** How a job is about to end, once every slot is settled (invariant 11); null while it goes on. */
export function ending(job: Job): Decision | null {
  const spent = { spent_micros: job.money.settled };
  if (job.killRequested) return draft('job.cancelled', '0', { code: 'killed', ...spent });
  if (job.cancelRequested) return draft('job.cancelled', '0', { code: 'cancelled', ...spent });
  const failure = failed(job);
  if (failure) return failure;
  const writer = [...job.agents.values()].find(({ spawned }) => spawned.kind === 'writer');
  return writer?.finished?.outcome === 'done' ? completed(job) : null;
}

function failed(job: Job): Decision | null {
  const spent_micros = job.money.settled;
  if (job.silent)
    return draft('job.failed', '0', { code: 'silent', reason: 'Nothing happened for too long.', spent_micros });
  const culprit = [...job.agents.values()].find((agent) => lost(job, agent));
  if (!culprit?.finished) return null;
  const { code, reason } = culprit.finished;
  if (code === 'model_refused' && culprit.spawned.kind === 'planner')
    return draft('job.refused', '0', {
      code: 'model_refused',
      reason: reason ?? 'The model declined the brief.',
      spent_micros,
    });
  return draft('job.failed', '0', {
    code,
    reason: `Agent ${culprit.id} (${culprit.spawned.role}) was needed and did not come to an end: ${reason ?? code}`,
    spent_micros,
  });
}

/** A job is lost with an agent that it required, or with all of its workers. */
function lost(job: Job, agent: Agent): boolean {
  if (!agent.finished || agent.finished.outcome === 'done') return false;
  const workers = [...job.agents.values()].filter(({ spawned }) => spawned.kind === 'worker' && spawned.call === null);
  return (
    agent.spawned.required ||
    (agent === workers.at(-1) && workers.every(({ finished }) => finished !== null && finished.outcome !== 'done'))
  );
}

function completed(job: Job): Decision {
  const steps = [...job.attempts.values()].filter(({ settled }) => settled?.outcome === 'completed').length;
  return draft('job.completed', '0', {
    spent_micros: job.money.settled,
    agents: job.agents.size,
    steps,
    artifacts: artifactList(job).length,
  });
}

/** Whether nobody owes the job an outcome any more. */
export const settled = (job: Job): boolean => job.unsettled.size === 0 && openCalls(job).length === 0;
