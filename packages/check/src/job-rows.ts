/** Invariant 1 over the list of jobs: each row is what the fold of its job says at the row's own sequence. Needs keys. */
import { emptyJob, evolve } from '@loom/job';
import type { Job } from '@loom/job';
import type { Address, Log } from '@loom/log';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './domain/check.ts';
import { whyShut } from './opening.ts';

/** A row by its columns; `last_seq` is the sequence that it was folded up to. */
export type Row = Readonly<Record<string, unknown>> & { readonly last_seq: number };

export interface JobRowOptions {
  readonly log: Log;
  readonly table: string;
  /** The live row of a job, null when there is none. */
  readonly rowOf: (at: Address) => Promise<Row | null>;
  /** The row that the service's own code makes of a fold. */
  readonly expected: (job: Job) => Row | null;
  /** Rows may be behind the log. */
  readonly running?: boolean;
  /** How long all rows together may take to be at their jobs' ends, ms; default 15,000. */
  readonly patience?: number;
}

export interface JobRowReport {
  readonly rows: number;
  readonly findings: readonly Finding[];
}

/** Compares the row of every job that was submitted with a fold. @throws LoomError `log_unavailable` */
export async function checkJobRows(options: JobRowOptions): Promise<JobRowReport> {
  const { found } = await options.log.scan('gateway', 'job.submitted');
  const until = Date.now() + (options.patience ?? 15_000);
  const findings: Finding[] = [];
  for (const { tenant, stream } of found) {
    const message = await settled(options, { tenant, stream }, until);
    const subject = `${options.table} ${stream}`;
    const about = { rule: 'projection', invariant: 1, tenant, job: stream, stream: 'postgres', seq: 0, subject };
    if (message !== null) findings.push({ ...about, message });
  }
  return { rows: found.length, findings };
}

/** What is wrong with a row; one that is behind is given its time. */
async function settled(options: JobRowOptions, at: Address, until: number): Promise<string | null> {
  const { running = false } = options;
  for (; ; await sleep(100)) {
    const row = await options.rowOf(at);
    const standing = row?.last_seq ?? 0;
    const folded = await foldTo(options, at, standing);
    if (folded === null || typeof folded === 'string') return folded;
    const wait = !running && folded.seq > standing && Date.now() < until;
    if (!wait) return verdict(row, folded, running);
  }
}

interface Folded {
  /** What the row should be. */
  readonly made: Row | null;
  /** Last sequence of the job. */
  readonly seq: number;
}

/** Null when the job cannot be opened any more: its row stays as it was. In words, what keeps it from being opened though its key is there. */
async function foldTo({ log, expected }: JobRowOptions, at: Address, seq: number): Promise<Folded | string | null> {
  const job = emptyJob(at);
  let made: Row | null = null;
  try {
    for await (const fact of log.read(at)) {
      evolve(job, fact);
      if (fact.seq === seq) made = expected(job);
    }
    return { made, seq: job.seq };
  } catch (cause) {
    return whyShut(cause);
  }
}

function verdict(row: Row | null, { made, seq }: Folded, running: boolean): string | null {
  if (row === null) return running ? null : 'there is no row of the job';
  if (made === null) return `its last_seq ${row.last_seq} is no fact of the job`;
  const [is, should] = [row, made].map((one) => JSON.stringify(sorted(one)));
  if (is !== should) return `it is ${JSON.stringify(row)}, a fold makes ${JSON.stringify(made)}`;
  return running || seq === row.last_seq ? null : `it stands at ${row.last_seq}, the job at ${seq}`;
}

const sorted = (row: Row): readonly (readonly [string, unknown])[] =>
  Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
