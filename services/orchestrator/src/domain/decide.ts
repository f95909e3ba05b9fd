import { playsBack, type Job } from '@loom/job';
import { advance } from './agents.ts';
import { artifactsDue } from './artifacts.ts';
import { askForBudget, budgetAnswers, purseOf, type Purse } from './budget.ts';
import { draft, type Decision } from './draft.ts';
import { mayWait } from './ends.ts';
import { ending, settled } from './ending.ts';
import { foresee } from './foresee.ts';
import { asRecorded, forkIsDue, playBack, resume, resumeIsDue, takeOver } from './fork.ts';
import { takeIn, type Intake } from './intake.ts';

/** A decision carries at most so many items (design, invariant 3); the rest follows in the next. */
const MOST_ITEMS = 200;

export type Decide = (job: Job, intake: Intake) => readonly Decision[];

/**
 * What the job still lacks. Pure: all that it reads is in the job's own facts, but for the intake, which `job.accepted` records.
 * Convergent: folding the answer back, again and again, ends in an empty answer (invariant 4).
 */
export function decide(job: Job, intake: Intake): readonly Decision[] {
  if (!job.submitted || job.ended) return [];
  if (forkIsDue(job)) return takeOver(job, intake);
  if (resumeIsDue(job)) return resume(job, intake);
  return playsBack(job)
    ? playBack(job, (recorded) => lacking(job, recorded ? asRecorded(recorded, intake) : intake))
    : lacking(job, intake);
}

/** What a job lacks that stands on its own facts. */
function lacking(job: Job, intake: Intake): readonly Decision[] {
  if (!job.accepted) return job.cancelRequested || job.killRequested ? close(job) : takeIn(job, intake);
  const raised = epoch(job);
  if (raised.length > 0) return raised;
  const answers = [...budgetAnswers(job), ...artifactsDue(job)];
  if (answers.length > 0) return answers.slice(0, MOST_ITEMS);
  return ending(job) ? close(job) : proceed(job);
}

/** Work of the old epoch moves nothing once a kill was asked for. A decision of its own, so that workers find it under its subject. */
function epoch(job: Job): readonly Decision[] {
  return job.killRequested && job.epoch === 0 ? [draft('epoch.raised', '1', { epoch: 1, reason: 'killed' })] : [];
}

/** The terminal fact is the orchestrator's last: it waits until every slot is settled. */
function close(job: Job): readonly Decision[] {
  const end = ending(job);
  return end && settled(job) ? [end] : [];
}

function proceed(job: Job): readonly Decision[] {
  const purse = purseOf(job, job.unsettled.size);
  const moves: Decision[] = [];
  for (const agent of job.agents.values()) {
    moves.push(...advance(job, agent, purse));
    if (moves.length >= MOST_ITEMS) return moves.slice(0, MOST_ITEMS);
    if (moves.some(({ type }) => type === 'job.refused'))
      return settled(job) ? moves.filter(({ type }) => type === 'job.refused') : [];
  }
  moves.push(...beginnings(job, moves, purse));
  if (purse.short === null) return mayWait(job, moves) ? [] : moves.slice(0, MOST_ITEMS);
  return moves.length === 0 ? askForBudget(job, purse.short) : moves.slice(0, MOST_ITEMS);
}

/** First steps of the agents that these moves bring, or let begin; none when they bring the job's end. */
function beginnings(job: Job, moves: readonly Decision[], purse: Purse): readonly Decision[] {
  if (!moves.some(({ type }) => type === 'agent.spawned' || type === 'agent.finished')) return [];
  const foreseen = foresee(job, moves);
  if (ending(foreseen)) return [];
  return [...foreseen.agents.values()]
    .filter(({ id, turns }) => turns.length === 0 && !moves.some(({ key }) => key === `${id}-1-1`))
    .flatMap((agent) => advance(foreseen, agent, purse));
}
