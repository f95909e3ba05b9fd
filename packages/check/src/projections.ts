/** Invariant 1 over a projection: what it holds equals what its own code makes of the log. */
import { lastSeqOf } from '@loom/log';
import type { Log } from '@loom/log';
import { openPool, rebuild } from '@loom/projection';
import type { Difference, Projection } from '@loom/projection';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Finding } from './domain/check.ts';

export interface ProjectionOptions {
  readonly log: Log;
  /** As a superuser, whom row-level security does not hold. */
  readonly url: string;
  readonly projection: Projection;
  /** How long the projection may take to be at the log's end, ms; default 15,000. 0: it is compared where it is. */
  readonly patience?: number;
}

export interface ProjectionReport {
  readonly facts: number;
  readonly rows: number;
  readonly findings: readonly Finding[];
}

/** Rebuilds a projection in a scratch schema and compares the two row by row; the live one is read only. @throws LoomError `log_unavailable`, `database_unavailable` */
export async function checkProjection(options: ProjectionOptions): Promise<ProjectionReport> {
  const { log, projection } = options;
  const pool = openPool(options.url, 'check');
  const schema = `check_${randomBytes(6).toString('hex')}`;
  try {
    const late = await waited(pool, options);
    const { facts, rows, differences } = await rebuild({ log, pool, projection, schema, dryRun: true });
    const name = `${projection.schema}.${projection.name}`;
    const behind = late.map((stream) => finding(name, `it did not come to the end of ${stream}`));
    return { facts, rows, findings: [...behind, ...differences.map(told)] };
  } finally {
    await pool.end();
  }
}

const standing = async (pool: Pool, { log, projection }: ProjectionOptions): Promise<Map<string, number>> => {
  const query = `select stream, incarnation, seq from ${projection.schema}.checkpoint where projection = $1`;
  const { rows } = await pool.query<{ stream: string; incarnation: string; seq: number }>(query, [projection.name]);
  const now = rows.filter(({ stream, incarnation }) => log.incarnation(stream) === incarnation);
  return new Map(now.map(({ stream, seq }) => [stream, seq]));
};

/** Streams whose end the projection did not reach in time. */
async function waited(pool: Pool, options: ProjectionOptions): Promise<readonly string[]> {
  const { log, patience = 15_000 } = options;
  if (patience === 0) return [];
  const ends = await Promise.all(log.streams.map(async (stream) => ({ stream, seq: await lastSeqOf(log, stream) })));
  for (const until = Date.now() + patience; ; await sleep(100)) {
    const reached = await standing(pool, options);
    const late = ends.filter(({ stream, seq }) => (reached.get(stream) ?? 0) < seq).map(({ stream }) => stream);
    if (late.length === 0 || Date.now() > until) return late;
  }
}

const told = ({ table, side, row }: Difference): Finding =>
  finding(
    table,
    side === 'live' ? `it holds a row that a rebuild does not: ${row}` : `it lacks a row that a rebuild makes: ${row}`,
  );

/** Rows hold no content (design, invariant 7), so they can be shown. */
function finding(table: string, message: string): Finding {
  return { rule: 'projection', invariant: 1, tenant: '', job: '', stream: 'postgres', seq: 0, subject: table, message };
}
