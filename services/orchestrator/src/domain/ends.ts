import type { Job } from '@loom/job';
import type { Decision } from './draft.ts';
import { settled } from './ending.ts';

/**
 * Whether moves are nothing but good ends of agents while others still work: they then share the decision that the next outcome brings
 * (every slot is settled, so there is one). A fan-out of any width ends in one decision instead of one an agent.
 */
export const mayWait = (job: Job, moves: readonly Decision[]): boolean =>
  moves.length > 0 && !settled(job) && moves.every((move) => isQuiet(job, move));

/** A delegated agent's end is the result of its parent's call; a bad end may be the job's. */
const isQuiet = (job: Job, move: Decision): boolean =>
  move.type === 'agent.finished' && move.body.outcome === 'done' && job.agents.get(move.key)?.spawned.call === null;
