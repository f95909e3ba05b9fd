/** A folded state as bytes and back; which log and which fold it is of, the log's snapshots look after. */
import type { Address, NoSnapshot, Snapshots } from '@loom/log';
import { metrics } from '@loom/service';
import { hash } from 'node:crypto';
import { DefaultDeserializer, serialize } from 'node:v8';
import type { Job } from './domain/state.ts';
import { FOLD } from './fold-version.ts';
import { stateHash } from './state-hash.ts';

/** A snapshot is kept whenever so many facts were folded since the last, and of a job that has one when it ends. */
export const snapshotEvery = 500;

const looked = metrics.counter('loom_snapshots_looked', 'Snapshots looked for, by what was found.');
const kept = metrics.counter('loom_snapshots_kept', 'Snapshots made, by whether they could be kept.');

const sumSize = 32;

/**
 * The SHA-256 of what follows, then `state_hash` and state: any state, whatever is in it: maps, sets, bytes, and one thing in two places stays
 * one thing.
 */
export function packState(job: Job): Buffer {
  const packed = serialize([stateHash(job), job]);
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
    const [hash, job] = read(packed) as readonly [string, Job];
    return job.tenant === at.tenant && job.stream === at.stream ? { job, hash } : null;
  } catch {
    return null;
  }
}

function read(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  reader.readHeader();
  return reader.readValue();
}

declare module 'node:v8' {
  interface Deserializer {
    _readHostObject(): unknown;
  }
}

/** Bytes of a state are copied out of the snapshot, which would stay in memory for 32 of them. */
class Reader extends DefaultDeserializer {
  override _readHostObject(): unknown {
    const shared = super._readHostObject();
    return Buffer.isBuffer(shared) ? Buffer.from(Uint8Array.from(shared).buffer) : shared;
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
  const state = packState(job);
  const done = await snapshots.keep(job, { fold: FOLD, seq: job.seq, state }).then(
    () => true,
    () => false,
  );
  kept.add(1, { kept: done });
}
