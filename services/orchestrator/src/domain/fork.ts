import { bundleOf, cutOf, emptyJob, evolve, isEnd, nextRecorded, type Fork, type Job, type Recorded } from '@loom/job';
import type { Fact } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { withRecord } from './calls.ts';
import { draft, type Decision } from './draft.ts';
import { refusalOf, termsFor, tighter, type Intake } from './intake.ts';

type Accepted = Bodies['job.accepted'];

const mostItems = 200;

/** Whether the parent is still to be taken over. */
export const forkIsDue = (job: Job): boolean =>
  job.fork === null && (job.submitted?.forked_from ?? null) !== null && !job.cancelRequested && !job.killRequested;

/** The one decision that reads another job: its facts come with the intake and are recorded whole. */
export function takeOver(job: Job, { parent }: Intake): readonly Decision[] {
  const asked = job.submitted;
  if (!asked || asked.forked_from === null || asked.from_seq === null || asked.mode === null) return [];
  if (!parent)
    return [
      draft('job.failed', '0', {
        code: 'parent_gone',
        reason: 'The job that this one was to be forked from cannot be opened any more.',
        spent_micros: 0,
      }),
    ];
  const { facts, requestKey } = parent;
  const point = { parent: asked.forked_from, from_seq: asked.from_seq, mode: asked.mode };
  const past = pastOf(job, facts, cutOf(facts, point));
  const forked: Bodies['job.forked'] = {
    ...point,
    facts: facts.length,
    epoch: past.epoch,
    budget_micros: past.money.cap,
    recorded_micros: past.money.settled,
    agents: standings(past),
    bundle: bundleOf(facts),
    request_key: requestKey,
  };
  return [draft('job.forked', '0', forked)];
}

function pastOf(job: Job, facts: readonly Fact[], cut: number): Job {
  const past = emptyJob(job);
  for (const fact of facts) if (fact.seq <= cut) evolve(past, fact);
  return past;
}

/** How far each agent had come, in clear, for those who hold the fork's facts against the rules without a key. */
const standings = (past: Job): Bodies['job.forked']['agents'] =>
  [...past.agents.values()].map(({ id, turns }) => ({
    agent: id,
    steps: turns.findLast(({ reply }) => reply !== null)?.n ?? 0,
    attempts: turns.at(-1)?.reply === null ? (turns.at(-1)?.attempts.filter(({ settled }) => settled).length ?? 0) : 0,
  }));

/** Whether a re-execution goes on under the parent's terms: its own are still to be recorded. */
export const resumeIsDue = ({ fork, accepted }: Job): boolean =>
  fork?.mode === 'reexecute' && accepted !== null && !fork.resumed;

/** Own terms: the brief screened as any, settings of now, models of the parent where the caller named none, and no limit above the parent's. */
export function resume(job: Job, intake: Intake): readonly Decision[] {
  const { submitted, accepted } = job;
  if (!submitted || !accepted) return [];
  const refused = refusalOf(submitted.brief);
  if (refused) return [refused];
  const terms = termsFor(submitted, {
    ...intake,
    models: accepted.models,
    limits: tighter(intake.limits, accepted.limits),
  });
  return ['code' in terms ? draft('job.failed', '0', terms) : draft('job.accepted', '0', terms)];
}

/** The settings that the parent was taken in under, for a playback from before. */
export const asRecorded = (accepted: Accepted, intake: Intake): Intake => ({
  ...intake,
  models: accepted.models,
  prices: accepted.prices,
  priceVersion: accepted.price_version,
  defaultBudgetMicros: accepted.budget_micros,
  limits: accepted.limits,
});

/**
 * What a playback decides: what the record says next. A decision is made anew and put beside a mark of the one that it repeats; acts of people and
 * timers are marked alone; an outcome is waited for, unless the slot that it belongs to never came to be.
 */
export function playBack(job: Job, lacking: (recorded: Accepted | null) => readonly Decision[]): readonly Decision[] {
  const { fork } = job;
  const next = nextRecorded(job);
  if (!fork || !next) return [];
  const again = askAgain(job);
  if (again.length > 0) return again;
  const mark = markOf(next);
  if (next.kind === 'act') return [mark];
  if (next.kind === 'outcome') return isOpen(job, next.slot) ? [] : [mark];
  const drafts = lacking(fork.accepted);
  if (drafts.length >= mostItems) return drafts;
  return drafts.some(isEnd) ? [mark, ...late(fork), ...drafts] : [mark, ...drafts];
}

/** The terminal fact is the orchestrator's last: what people and timers did after the parent's comes right before it. */
const late = (fork: Fork): readonly Decision[] =>
  fork.script.slice(fork.next + 1).flatMap((recorded) => (recorded.kind === 'act' ? [markOf(recorded)] : []));

function markOf(recorded: Recorded): Decision {
  const { seq, kind } = recorded;
  if (kind === 'act') return replayed(seq, recorded.fact.type);
  return replayed(seq, kind === 'outcome' ? recorded.settled.type : 'decision.made');
}

const replayed = (seq: number, type: string): Decision => draft('record.replayed', String(seq), { seq, type });

/** What was open at the fork point, beside a mark of that point. */
function askAgain(job: Job): readonly Decision[] {
  const { fork } = job;
  const open = (fork?.open ?? []).filter(({ key }) => !isOpen(job, key) && !isDone(job, key));
  if (!fork || open.length === 0) return [];
  const drafts = open.map((one) => (one.type === 'run.requested' ? withRecord(job, one.key, one.body) : one));
  const first = open.length === fork.open.length;
  return first ? [replayed(fork.fromSeq, 'job.forked'), ...drafts].slice(0, mostItems) : drafts.slice(0, mostItems);
}

const isOpen = (job: Job, key: string): boolean => {
  const call = job.calls.get(key);
  return job.attempts.get(key)?.settled === null || (call !== undefined && call.where !== null && call.result === null);
};

const isDone = (job: Job, key: string): boolean =>
  (job.attempts.get(key)?.settled ?? job.calls.get(key)?.result ?? null) !== null;
