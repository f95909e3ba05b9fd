import type { JobCache } from '@loom/job';
import type { Address, ClearFact, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Logger } from '@loom/service';
import { isJobId } from '../ids.ts';
import { rowOf } from '../views/jobs.ts';
import type { JobRows } from '../views/jobs.ts';

interface Parts {
  readonly log: Log;
  readonly jobs: JobCache;
  readonly rows: JobRows;
  readonly logger: Logger;
}

/** Keeps the job read model: each job that a batch speaks of is folded up to there and its row written. Doing it twice changes nothing. */
export function projectJobs(parts: Parts, signal: AbortSignal): Promise<void> {
  const handle = async (_stream: string, facts: readonly ClearFact[]): Promise<void> => {
    for (const { at, seq } of touched(facts)) await project(parts, at, seq);
  };
  return parts.log.consumeBatches({ service: 'gateway', size: 200, handle, signal });
}

/** The jobs of a batch, each with the last sequence that speaks of it. */
function touched(facts: readonly ClearFact[]): Iterable<{ readonly at: Address; readonly seq: number }> {
  const jobs = new Map<string, { at: Address; seq: number }>();
  for (const { tenant, stream, seq } of facts) {
    if (isJobId(stream)) jobs.set(`${tenant}/${stream}`, { at: { tenant, stream }, seq });
  }
  return jobs.values();
}

/** A job that cannot be opened any more (its key is gone, or a fact is damaged) keeps its last row and holds up nobody else. */
async function project({ jobs, rows, logger }: Parts, at: Address, seq: number): Promise<void> {
  try {
    const row = rowOf(await jobs.at(at, seq));
    if (row !== null) await rows.put(at.tenant, row);
  } catch (cause) {
    const failure = LoomError.from(cause);
    if (failure.retry !== 'never') throw failure;
    logger.warn({ err: failure, job: at.stream, seq }, 'a job cannot be shown in lists any more');
  }
}
