import type { JobCache } from '@loom/job';
import type { Address, ClearFact } from '@loom/log';
import type { Projection, Tx } from '@loom/projection';
import { LoomError } from '@loom/service';
import { isJobId } from '../ids.ts';
import { keepRow, putRow, rowOf } from '../views/jobs.ts';

interface Parts {
  readonly jobs: JobCache;
  /** Told of a job that cannot be opened any more. */
  readonly onShut: (job: string, seq: number, cause: LoomError) => void;
}

/** `gateway.jobs`: each job that a batch speaks of is folded up to there, before the transaction, and its row written. */
export function jobView({ jobs, onShut }: Parts): Projection {
  const fold = ({ at, seq }: Touched): Promise<unknown> => jobs.including(at, seq).catch(shut);
  return {
    schema: 'gateway',
    name: 'jobs',
    tables: ['jobs'],
    kept: { jobs: { folded: 'last_seq' } },
    async prepare(facts) {
      for (const one of touched(facts)) await fold(one);
    },
    async apply(tx, facts) {
      for (const one of touched(facts)) await write(tx, one);
    },
  };

  async function write(tx: Tx, { at, seq }: Touched): Promise<void> {
    const job = await jobs.including(at, seq).catch(shut);
    if (job instanceof LoomError) {
      onShut(at.stream, seq, job);
      return keepRow(tx, at);
    }
    const row = rowOf(job);
    if (row !== null) await putRow(tx, at.tenant, row);
  }
}

interface Touched {
  readonly at: Address;
  readonly seq: number;
}

/** The jobs of a batch, each with the last sequence that speaks of it. */
function touched(facts: readonly ClearFact[]): Iterable<Touched> {
  const jobs = new Map<string, Touched>();
  for (const { tenant, stream, seq } of facts) {
    if (isJobId(stream)) jobs.set(`${tenant}/${stream}`, { at: { tenant, stream }, seq });
  }
  return jobs.values();
}

/** A job that cannot be opened any more (its key is gone, or a fact is damaged) keeps its last row and holds up nobody else. @throws what may pass */
function shut(cause: unknown): LoomError {
  const failure = LoomError.from(cause);
  if (failure.retry !== 'never') throw failure;
  return failure;
}
