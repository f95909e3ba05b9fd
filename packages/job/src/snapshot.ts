/** A folded state as bytes and back; which log and which fold it is of, the log's snapshots look after. */
import type { Address, NoSnapshot, Snapshots } from '@loom/log';
import { LoomError, metrics } from '@loom/service';
import { hash } from 'node:crypto';
import { Packr } from 'msgpackr';
import type { Job } from './domain/state.ts';
import { FOLD } from './fold-version.ts';
import { stateHash } from './state-hash.ts';

/** A snapshot is kept whenever so many facts were folded since the last, and of a job that has one when it ends. */
export const snapshotEvery = 500;

const looked = metrics.counter('loom_snapshots_looked', 'Snapshots looked for, by what was found.');
const kept = metrics.counter('loom_snapshots_kept', 'Snapshots made, by whether they could be kept.');

const sumSize = 32;

/** Any state comes back as it was, maps, sets and bytes, and one thing in two places stays one thing. Bytes are copied out, or they would keep the whole snapshot. */
const format = { structuredClone: true, moreTypes: true, copyBuffers: true } as const;

/** The one name that MessagePack's reader changes, to protect who reads what anybody wrote. */
const changedName = '__proto__';

/** The SHA-256 of what follows, then `state_hash` and state. @throws LoomError `validation_failed` for a state that would not come back as it is */
export function packState(job: Job): Buffer {
  const packed = new Packr(format).pack([stateHash(job), job]);
  if (packed.includes(changedName)) throw new LoomError('validation_failed', `a state that tells of ${changedName}`);
  return Buffer.concat([sumOf(packed), packed]);
}

const sumOf = (packed: Uint8Array): Buffer => hash('sha256', packed, 'buffer');

/** A state as it came out of a snapshot, and the `state_hash` that it went in with. */
export interface Kept {
  readonly job: Job;
  readonly hash: string;
}

/** Null for bytes that are no state of this job, or are not as they were packed. */
export function unpackState(at: Address, bytes: Uint8Array): Job | null {
  return unpack(at, bytes)?.job ?? null;
}

/** The sum says that these are the bytes of then; that they say what the facts say is verified where a job is. */
function unpack(at: Address, bytes: Uint8Array): Kept | null {
  const packed = bytes.subarray(sumSize);
  if (!sumOf(packed).equals(bytes.subarray(0, sumSize))) return null;
  try {
    const [hash, job] = new Packr(format).unpack(packed) as readonly [string, Job];
    return job.tenant === at.tenant && job.stream === at.stream ? { job, hash } : null;
  } catch {
    return null;
  }
}

/** The state that the newest snapshot not behind `upto` holds; null where every fact has to be folded. */
export async function findState(snapshots: Snapshots, at: Address, upto?: number): Promise<Kept | null> {
  const found = await snapshots.find(at, FOLD, upto);
  const kept = typeof found === 'string' ? null : unpack(at, found);
  looked.add(1, { found: typeof found === 'string' ? found : outcomeOf(kept) });
  return kept;
}

const outcomeOf = (kept: Kept | null): NoSnapshot | 'used' | 'wrong' => (kept === null ? 'wrong' : 'used');

/** Keeps the state as it is now. A snapshot that cannot be kept is no failure: whoever needs it folds the facts. */
export async function keepState(snapshots: Snapshots, job: Job): Promise<void> {
  const done = await pack(snapshots, job).then(
    () => true,
    () => false,
  );
  kept.add(1, { kept: done });
}

/** Packs at once: the state goes on changing. */
const pack = async (snapshots: Snapshots, job: Job): Promise<void> =>
  snapshots.keep(job, { fold: FOLD, seq: job.seq, state: packState(job) });
