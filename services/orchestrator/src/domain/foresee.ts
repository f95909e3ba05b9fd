import type { Agent, Job } from '@loom/job';
import type { Decision } from './draft.ts';

/**
 * The job as it will stand once these moves are recorded, as far as an agent that is to begin looks at it: who there is, and who has ended.
 * So the plan and the first steps, and the last ends and the step that waited for them, are one decision.
 */
export function foresee(job: Job, moves: readonly Decision[]): Job {
  const agents = new Map(job.agents);
  for (const { type, key, body } of moves) {
    const known = agents.get(key);
    if (type === 'agent.spawned' && known === undefined) agents.set(key, unborn(body));
    if (type === 'agent.finished' && known !== undefined) agents.set(key, { ...known, finished: body });
  }
  return { ...job, agents };
}

const unborn = (spawned: Agent['spawned']): Agent => ({
  id: spawned.agent,
  spawned,
  turns: [],
  finished: null,
  killRequested: false,
});
