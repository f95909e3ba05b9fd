import type { Job } from '@loom/job';
import type { Decision } from './draft.ts';
import { settled } from './ending.ts';

/**
 * Whether moves are nothing but good ends of agents that let nobody go on, while others still work: they then share the decision that the
 * next outcome brings (every slot is settled, so there is one). A fan-out of any width ends in one decision instead of one an agent.
 */
export function mayWait(job: Job, moves: readonly Decision[]): boolean {
  if (moves.length === 0 || !moves.every((move) => isQuiet(job, move))) return false;
  if (settled(job)) return false;
  const ended = new Set(moves.map(({ key }) => key));
  return ![...job.agents.values()].some(
    ({ turns, spawned: { needs } }) =>
      turns.length === 0 && needs.every((id) => ended.has(id) || job.agents.get(id)?.finished),
  );
}

/** A delegated agent's end is the result of its parent's call; a bad end may be the job's. */
const isQuiet = (job: Job, move: Decision): boolean =>
  move.type === 'agent.finished' && move.body.outcome === 'done' && job.agents.get(move.key)?.spawned.call === null;
