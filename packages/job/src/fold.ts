import { LoomError } from '@loom/service';
import type { Address, Fact, Snapshots } from '@loom/log';
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyJob, type Job } from './domain/state.ts';
import { openBundle } from './bundle.ts';
import { foldWith } from './pure.ts';
import { findState, keepState, snapshotEvery } from './snapshot.ts';
import { stateHash } from './state-hash.ts';

/** Folds one fact into the state, which it changes and returns. A fact that was folded before is passed over; the chain runs over the sums of all facts. */
export function evolve(job: Job, fact: Fact): Job {
  if (fact.seq <= job.seq) return job;
  job.chain = hash('sha256', job.chain + fact.sum, 'hex');
  return foldWith(job, fact, openBundle);
}

/** What a fold needs of the log; where there are snapshots, it begins with one. */
export interface FactReader {
  read(at: Address, options?: { after?: number; upto?: number }): AsyncIterable<Fact>;
  readonly snapshots?: Snapshots;
}

/** What a cache needs of it; `atLeast` is the sequence that it waits for, 0 for none. */
interface Source {
  read(at: Address, options: { after: number; atLeast: number }): AsyncIterable<Fact>;
  readonly snapshots?: Snapshots;
}

interface CacheOptions {
  /** States held at once. */
  readonly size?: number;
  /** Snapshots of what is folded here are kept. */
  readonly keeps?: boolean;
}

/** The state of a job from its facts, up to a sequence if one is given. */
export async function foldJob(log: FactReader, at: Address, upto?: number): Promise<Job> {
  return foldOn(log, await begin(log.snapshots, at, upto), upto);
}

async function foldOn(log: FactReader, job: Job, upto?: number): Promise<Job> {
  for await (const fact of log.read(job, { after: job.seq, ...(upto === undefined ? {} : { upto }) }))
    evolve(job, fact);
  return job;
}

async function begin(snapshots: Snapshots | undefined, at: Address, upto?: number): Promise<Job> {
  const kept = snapshots && (await findState(snapshots, at, upto));
  return kept?.job ?? emptyJob(at);
}

/** Sequence of the snapshot that folds up to `upto` begin with, where it says another thing than the facts up to it; null where it does not, or there is none. */
export async function wrongSnapshot(log: FactReader, at: Address, upto?: number): Promise<number | null> {
  const kept = log.snapshots && (await findState(log.snapshots, at, upto));
  if (!kept) return null;
  const folded = await foldOn(log, emptyJob(at), kept.job.seq);
  const hashes = new Set([kept.hash, stateHash(kept.job), stateHash(folded)]);
  return hashes.size === 1 && kept.job.chain === folded.chain ? null : kept.job.seq;
}

interface Entry {
  job: Job;
  /** How many facts of it a snapshot holds. */
  kept: number;
  turn: Promise<unknown>;
  /** The read that has not begun yet, and the sequence that it is to include. */
  next: { minSeq: number; readonly job: Promise<Job> } | null;
}

/**
 * Owns the folded states of the jobs that this process works on; owns no truth: an entry can be dropped at any time.
 * C1  one read of a job at a time, so no fact is folded twice or out of order. Who asks meanwhile shares the next one: it begins after them all.
 * C2  `at` answers only with a state that includes `minSeq`: a read from a lagging replica is repeated (design, invariant 4).
 * C3  A snapshot only saves the reading of what it holds: without any of them the states are the same.
 */
export class JobCache {
  readonly #log: Source;
  readonly #size: number;
  readonly #keeps: boolean;
  readonly #entries = new Map<string, Entry>();

  constructor(log: Source, { size = 500, keeps = false }: CacheOptions = {}) {
    this.#log = log;
    this.#size = size;
    this.#keeps = keeps;
  }

  /** @throws LoomError `log_unavailable` when the log does not show `minSeq` within 10 s. */
  at(address: Address, minSeq = 0): Promise<Job> {
    const entry = this.#entry(address);
    const next = (entry.next ??= this.#next(entry));
    next.minSeq = Math.max(next.minSeq, minSeq);
    return next.job;
  }

  /** A state that includes `minSeq`, which names a fact: for who wants what that said. The log is read only where the state in hand does not reach it. */
  async including(address: Address, minSeq: number): Promise<Job> {
    const { job } = this.#entry(address);
    return job.seq >= minSeq ? job : this.at(address, minSeq);
  }

  /** For a job that has ended: it is folded anew should anybody ask again. */
  forget(address: Address): void {
    this.#entries.delete(name(address));
  }

  #next(entry: Entry): NonNullable<Entry['next']> {
    const advance = (): Promise<Job> => {
      entry.next = null;
      return this.#advance(entry, next.minSeq);
    };
    const next = { minSeq: 0, job: entry.turn.then(advance) };
    entry.turn = next.job.catch(() => this.#entries.delete(name(entry.job)));
    return next;
  }

  #entry(address: Address): Entry {
    const key = name(address);
    const entry = this.#entries.get(key) ?? { job: emptyJob(address), kept: 0, turn: Promise.resolve(), next: null };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#size && !oldest.done) this.#entries.delete(oldest.value);
    return entry;
  }

  async #advance(entry: Entry, minSeq: number): Promise<Job> {
    if (entry.job.facts === 0) {
      entry.job = await begin(this.#log.snapshots, entry.job);
      entry.kept = entry.job.facts;
    }
    const { job } = entry;
    await this.#read(job, minSeq);
    this.#keep(entry);
    return job;
  }

  async #read(job: Job, minSeq: number): Promise<void> {
    const until = performance.now() + 10_000;
    for (let wait = 2; ; wait = Math.min(wait * 2, 200)) {
      for await (const fact of this.#log.read(job, { after: job.seq, atLeast: minSeq })) evolve(job, fact);
      if (job.seq >= minSeq) return;
      if (performance.now() > until)
        throw new LoomError('log_unavailable', `sequence ${minSeq} of ${job.stream} cannot be read yet`);
      await sleep(wait);
    }
  }

  #keep(entry: Entry): void {
    const { snapshots } = this.#log;
    if (!this.#keeps || snapshots === undefined || !isDue(entry)) return;
    entry.kept = entry.job.facts;
    void keepState(snapshots, entry.job);
  }
}

/** Most who look at a long job look at it as it ended. */
function isDue({ job, kept }: Entry): boolean {
  const since = job.facts - kept;
  return since >= snapshotEvery || (job.ended !== null && kept > 0 && since > 0);
}

const name = (at: Address): string => `${at.tenant}/${at.stream}`;
