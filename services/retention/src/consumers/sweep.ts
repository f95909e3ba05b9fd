/**
 * Owns the end of artifacts: blob first, fact second.
 * R1  `artifact.expired` says that the blob is gone; a crash between the two repeats the erasure, which is idempotent.
 * R2  The fact is unique under its artifact's key: any number of sweeps and replicas record it once.
 * R3  The clock is a parameter; nothing here asks for the time.
 */
import type { Blobs } from '@loom/blobs';
import type { Log } from '@loom/log';
import { transact } from '@loom/projection';
import type { Tx } from '@loom/projection';
import type { Pool } from 'pg';
import { writtenUntil } from '../domain/deadlines.ts';
import { dueAfter, isShared } from '../views/artifacts.ts';
import type { Due } from '../views/artifacts.ts';

export interface SweepParts {
  readonly pool: Pool;
  readonly log: Pick<Log, 'append'>;
  readonly blobs: Pick<Blobs, 'erase'>;
  /** Days that artifacts are kept; more than 90 is 90. */
  readonly days: number;
  readonly signal?: AbortSignal;
}

const inSchema = <T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> =>
  transact(pool, async (tx) => {
    await tx.query("select set_config('search_path', 'retention', true)");
    return work(tx);
  });

async function expire(parts: SweepParts, due: Due, until: number): Promise<void> {
  const { tenant, job, key, object } = due;
  if (!(await inSchema(parts.pool, (tx) => isShared(tx, object, until)))) await parts.blobs.erase(object);
  await parts.log.append({ tenant, stream: job }, { type: 'artifact.expired', key, body: { artifact: key, object } });
}

/** Erases what has been kept long enough at `now` (Unix ms) and records it. Returns how many artifacts that were; resumable at any point. */
export async function sweepArtifacts(parts: SweepParts, now: number): Promise<number> {
  const until = writtenUntil(now, parts.days);
  let after = { tenant: '', job: '', key: '' };
  for (let count = 0; ;) {
    const page = await inSchema(parts.pool, (tx) => dueAfter(tx, until, after));
    for (const due of page) {
      if (parts.signal?.aborted === true) return count;
      await expire(parts, due, until);
      count += 1;
      after = due;
    }
    if (page.length === 0) return count;
  }
}
