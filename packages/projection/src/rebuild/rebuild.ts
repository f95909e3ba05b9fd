/**
 * A projection made anew from the first fact kept, beside the live one, which goes on.
 * Owns the schema `<schema>_rebuild` while it runs, under a lock of its own: one rebuild a projection at a time.
 * R1  Until the swap commits nothing of the live one is touched: killed at any point, a rebuild can be run again.
 * R2  What retention removed does not come back: purged facts are not there to be read, and rows older than their kind is kept, which the live
 *     table has no more, are left out. Rows that outlive their facts are taken over.
 */
import { lastSeqOf } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Pool } from 'pg';
import type { Projection } from '../project.ts';
import { dropBeside, maySwap, openBeside } from './beside.ts';
import type { Beside } from './beside.ts';
import { analyze, compare, snapshotLive } from './compare.ts';
import type { Comparison } from './compare.ts';
import { fill, filling } from './fill.ts';
import type { FactLog, Filling } from './fill.ts';
import { swap } from './swap.ts';

export interface RebuildOptions {
  readonly log: FactLog;
  /** As one whom row-level security does not hold. */
  readonly pool: Pool;
  readonly projection: Projection;
  /** Default `<schema>_rebuild`. */
  readonly schema?: string;
  /** Compares, and leaves the live one as it is. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: RebuildProgress) => void;
}

export interface RebuildProgress {
  readonly phase: 'reading' | 'comparing' | 'swapping';
  /** Sequences read, of so many. */
  readonly done: number;
  readonly total: number;
}

export interface RebuildReport extends Comparison {
  readonly facts: number;
  /** Facts read and applied a second. */
  readonly rate: number;
  /** Facts that cannot be read or applied; the live projection parked them. */
  readonly unread: Filling['unread'];
  readonly swapped: boolean;
}

/** @throws LoomError `forbidden`, `not_ready`, `log_unavailable`, `database_unavailable` */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const { pool, projection } = options;
  const beside = { pool, projection, schema: options.schema ?? `${projection.schema}_rebuild` };
  await using _lock = await exclusive(beside);
  if (options.dryRun !== true) await maySwap(beside);
  await openBeside(beside);
  try {
    return await build(beside, options);
  } finally {
    await dropBeside(beside).catch(() => undefined);
  }
}

async function build(beside: Beside, options: RebuildOptions): Promise<RebuildReport> {
  const { log, dryRun = false, onProgress = () => undefined } = options;
  const state = filling();
  const total = sum(await endsOf(log));
  const tell = (phase: RebuildProgress['phase']): void => onProgress({ phase, done: sum(state.read), total });
  let seconds = 0;
  const read = async (ends: ReadonlyMap<string, number>): Promise<void> => {
    const begun = performance.now();
    await fill(beside, log, state, ends, () => tell('reading'));
    seconds += (performance.now() - begun) / 1000;
  };
  await read(await snapshotLive(beside, log));
  tell('comparing');
  const compared = await compare(beside);
  if (!dryRun) {
    await read(await endsOf(log));
    await analyze(beside);
    tell('swapping');
    await swap(beside, async () => read(await endsOf(log)));
  }
  const { facts, unread } = state;
  return { ...compared, facts, rate: Math.round(facts / Math.max(seconds, 0.001)), unread, swapped: !dryRun };
}

const sum = (ends: ReadonlyMap<string, number>): number => [...ends.values()].reduce((all, seq) => all + seq, 0);

async function endsOf(log: FactLog): Promise<Map<string, number>> {
  const ends = log.streams.map(async (stream) => [stream, await lastSeqOf(log, stream)] as const);
  return new Map(await Promise.all(ends));
}

/** Held by a connection of its own: it is gone with the process. */
async function exclusive({ pool, schema }: Beside): Promise<AsyncDisposable> {
  const client = await pool.connect();
  const ask = async (what: string): Promise<boolean> =>
    (await client.query<{ done: boolean }>(`select ${what}(7412, hashtext($1)) as done`, [schema])).rows[0]?.done ===
    true;
  if (await ask('pg_try_advisory_lock')) {
    const unlock = async (): Promise<void> => {
      await ask('pg_advisory_unlock').catch(() => undefined);
      client.release(true);
    };
    return { [Symbol.asyncDispose]: unlock };
  }
  client.release(true);
  throw new LoomError('not_ready', `another rebuild works on ${schema}; wait for its end`);
}
