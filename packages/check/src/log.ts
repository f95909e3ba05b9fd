/**
 * A whole log, or one job of it, held against the rules.
 * Owns the list of addresses and, one at a time, the facts of one: memory is bounded by the largest job.
 * L1  The log may grow meanwhile: what is checked ends at the sequences that were the last when the check began.
 * L2  Nothing is written, acknowledged or consumed.
 */
import { lastSeqOf, prefixOf, readRaw, streamOf } from '@loom/log';
import type { Address, Log, RawFact } from '@loom/log';
import { LoomError } from '@loom/service';
import { Deriving } from './derive.ts';
import { Checker } from './domain/check.ts';
import type { Finding } from './domain/check.ts';
import { Accounts } from './domain/ledger.ts';
import type { Ledgers, Waste } from './domain/ledger.ts';
import { isEnd, isKnown } from './domain/rule.ts';
import type { Entry } from './domain/rule.ts';
import { entryReader } from './entries.ts';
import type { Decide } from './rederive.ts';

/** How far a check is. */
export interface Progress {
  readonly phase: 'reading' | 'checking';
  /** Facts read, or jobs checked, of so many. */
  readonly done: number;
  readonly total: number;
}

export interface CheckOptions {
  /** This job alone. */
  readonly job?: string;
  /** Jobs may still be running. Default false: every job must have ended. */
  readonly running?: boolean;
  /** Books kept outside of Loom; they are of the whole log, so they do not go with `job`. */
  readonly ledgers?: Ledgers;
  /** How often something was killed: as many calls and runs may have been repeated, together or each by itself. Absent: any number. */
  readonly kills?: number | Waste;
  /** Derives each decision anew; the log then needs a vault. */
  readonly decide?: Decide;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Report {
  readonly ok: boolean;
  readonly facts: number;
  /** Jobs, and how many of them have not ended. */
  readonly jobs: number;
  readonly open: number;
  /** The first fact that breaks each rule, by job. */
  readonly findings: readonly Finding[];
  /** Calls and runs that were repeated, as far as ledgers were given. */
  readonly waste: Waste;
  /** Decisions derived anew. */
  readonly rederived: number;
  /** What was not checked, and why. */
  readonly skipped: readonly string[];
}

interface Run {
  readonly log: Log;
  readonly options: CheckOptions;
  readonly ends: ReadonlyMap<string, number>;
  readonly accounts: Accounts;
  readonly findings: Finding[];
  facts: number;
  open: number;
  rederived: number;
  /** Decisions that could not be derived, and jobs whose content is gone. */
  unasked: number;
  unopened: number;
}

/** Holds the log against every invariant. @throws LoomError `log_unavailable`, `not_found` for a job that is not there */
export async function checkLog(log: Log, options: CheckOptions = {}): Promise<Report> {
  const ends = new Map<string, number>();
  for (const stream of log.streams) ends.set(stream, await lastSeqOf(log, stream));
  const counts = { facts: 0, open: 0, rederived: 0, unasked: 0, unopened: 0 };
  const run: Run = { log, options, ends, accounts: new Accounts(), findings: [], ...counts };
  const addresses = await addressesOf(run);
  if (addresses.length === 0 && options.job !== undefined)
    throw new LoomError('not_found', `there is no ${options.job}`);
  for (const [i, at] of addresses.entries()) {
    await checkAddress(run, at);
    options.onProgress?.({ phase: 'checking', done: i + 1, total: addresses.length });
  }
  return reportOf(run, addresses.filter(isJob).length);
}

const isJob = ({ stream }: Address): boolean => stream.startsWith('job_');

/** Every address that a subject names. Facts that lie elsewhere than their address says are findings. */
async function addressesOf(run: Run): Promise<readonly Address[]> {
  const { log, options, ends } = run;
  const found = new Map<string, Address | null>();
  const total = [...ends.values()].reduce((sum, seq) => sum + seq, 0);
  let done = 0;
  for (const [stream, upto] of ends)
    for await (const raw of readRaw(log, stream, {
      upto,
      ...(options.job === undefined ? {} : { job: options.job }),
    })) {
      const prefix = raw.subject.split('.').slice(0, 5).join('.');
      const known = found.get(`${stream} ${prefix}`);
      const at = known === undefined ? placeOf(log, raw, prefix) : known;
      found.set(`${stream} ${prefix}`, at);
      if (at === null) run.findings.push(misplaced(raw));
      if (++done % 5000 === 0) options.onProgress?.({ phase: 'reading', done, total });
    }
  return [...found.values()].filter((at) => at !== null);
}

/** The address of a subject's prefix; null when its facts do not lie there. */
function placeOf(log: Log, { stream, subject }: RawFact, prefix: string): Address | null {
  const [, , , tenant = '', name = ''] = subject.split('.');
  const at = { tenant, stream: name };
  try {
    return prefixOf(at) === prefix && streamOf(at, log.streams.length) === stream ? at : null;
  } catch {
    return null;
  }
}

function misplaced({ stream, seq, subject }: RawFact): Finding {
  const [, , , tenant = '', job = ''] = subject.split('.');
  const message = 'it does not lie in the partition and stream of its address';
  return { rule: 'readable', invariant: 2, tenant, job, stream, seq, subject, message };
}

async function checkAddress(run: Run, at: Address): Promise<void> {
  const checker = new Checker(at, run.log);
  const deriving = derivingOf(run, at);
  const entryOf = entryReader();
  let ended = false;
  const upto = run.ends.get(streamOf(at, run.log.streams.length)) ?? 0;
  for await (const raw of readRaw(run.log, at, { upto })) {
    const entry = entryOf(raw);
    checker.see(entry);
    await deriving?.see(entry);
    if (counted(run, entry)) ended = true;
  }
  run.findings.push(...checker.end(run.options.running ?? false));
  if (deriving !== null) noteDerived(run, deriving);
  if (isJob(at) && !ended) run.open += 1;
}

/** Whether the fact ends its job. */
function counted(run: Run, entry: Entry): boolean {
  run.facts += 1;
  if (!isKnown(entry)) return false;
  if (run.options.ledgers !== undefined) run.accounts.see(entry);
  return entry.fact.items.some(isEnd);
}

const derivingOf = ({ log, options: { decide } }: Run, at: Address): Deriving | null =>
  decide === undefined || !isJob(at) ? null : new Deriving(log, at, decide);

/** A job whose key was destroyed was passed over; one that does not open is a finding. */
function noteDerived(run: Run, deriving: Deriving): void {
  const { decisions, skipped, gone, broken } = deriving.end();
  run.rederived += decisions - skipped;
  run.unasked += skipped;
  if (gone) run.unopened += 1;
  if (broken !== null) run.findings.push(broken);
}

function reportOf(run: Run, jobs: number): Report {
  const { options, accounts, facts, open, rederived } = run;
  const { findings, waste } = accounts.settle(options.ledgers ?? {}, options.running ?? false, options.kills);
  const all = [...run.findings, ...findings];
  return { ok: all.length === 0, facts, jobs, open, findings: all, waste, rederived, skipped: skippedOf(run) };
}

function skippedOf({ options, unasked, unopened }: Run): readonly string[] {
  return [
    ...(options.decide === undefined ? ['decisions were not derived anew: that needs the keys (--decide)'] : []),
    ...(unasked > 0 ? [`${unasked} decisions stand on input that nobody recorded`] : []),
    ...(unopened > 0 ? [`${unopened} jobs can no longer be opened, so their decisions were not derived anew`] : []),
  ];
}
