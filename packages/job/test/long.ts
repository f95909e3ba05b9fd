/** Long jobs, folded with and without their snapshots. */
import { emptyJob, evolve, FOLD, packState } from '@loom/job';
import type { Job } from '@loom/job';
import type { Address, Log } from '@loom/log';
import { job, message, submitted } from '../../log/test/world.ts';

let posted = 0;

export async function post(log: Log, at: Address, count: number, text?: () => string): Promise<void> {
  const some = Array.from({ length: count }, () => log.append(at, message(`m${++posted}`, text?.())));
  await Promise.all(some);
}

/** A job of so many facts. */
export async function long(log: Log, facts: number): Promise<Address> {
  const at = job();
  await log.append(at, submitted());
  await post(log, at, facts - 1);
  return at;
}

/** From the first fact on, whatever snapshots there are. */
export async function cold(log: Log, at: Address, upto = Infinity): Promise<Job> {
  const folded = emptyJob(at);
  for await (const fact of log.read(at, { upto })) evolve(folded, fact);
  return folded;
}

/** The log, and how many facts were read of it. */
export function counting(log: Log): { read: Log['read']; snapshots: Log['snapshots']; facts: () => number } {
  let facts = 0;
  return {
    snapshots: { ...log.snapshots, find: (...place) => reached(log, ...place) },
    facts: () => facts,
    async *read(...place) {
      for await (const fact of log.read(...place)) {
        facts += 1;
        yield fact;
      }
    },
  };
}

export async function keep(log: Log, state: Job, fold = FOLD): Promise<void> {
  await log.snapshots.keep(state, { fold, seq: state.seq, state: packState(state) });
}

/** As `find`, of a bucket that is there: a server that was only slow is asked again. */
async function reached(log: Log, ...place: Parameters<Log['snapshots']['find']>): ReturnType<Log['snapshots']['find']> {
  const answer = await log.snapshots.find(...place);
  return answer === 'unreachable' ? reached(log, ...place) : answer;
}

export const found = async (log: Log, at: Address, upto?: number): Promise<unknown> => {
  const answer = await reached(log, at, FOLD, upto);
  return typeof answer === 'string' ? answer : 'found';
};
