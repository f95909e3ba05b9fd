/**
 * Invariant 1 over a projection: what it holds equals what its own code makes of the log.
 * Owns a scratch schema beside the live one, dropped at the end.
 * Q1  Live rows and checkpoints are copied in one snapshot; the rebuild ends where the checkpoints stood, so both speak of the same facts.
 * Q2  The live schema is read only.
 */
import { lastSeqOf } from '@loom/log';
import type { ClearFact, Log } from '@loom/log';
import { applyBatch, openPool } from '@loom/projection';
import type { Projection } from '@loom/projection';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Finding } from './domain/check.ts';

export interface ProjectionOptions {
  readonly log: Log;
  /** As a superuser, whom row-level security does not hold. */
  readonly url: string;
  readonly projection: Projection;
  /** The table of the projection's schema that is compared. */
  readonly table: string;
  /** How long the projection may take to be at the log's end, ms; default 15,000. 0: it is compared where it is. */
  readonly patience?: number;
}

export interface ProjectionReport {
  readonly facts: number;
  readonly rows: number;
  readonly findings: readonly Finding[];
}

/** Rebuilds a projection beside the live one and compares them row by row. @throws LoomError `log_unavailable`, `damaged`, `database_unavailable` */
export async function checkProjection(options: ProjectionOptions): Promise<ProjectionReport> {
  const pool = openPool(options.url, 'check');
  const scratch = `check_${randomBytes(6).toString('hex')}`;
  try {
    const late = await waited(pool, options);
    await snapshot(pool, options, scratch);
    const facts = await rebuild(pool, options, scratch);
    return { facts, ...(await compared(pool, options, scratch, late)) };
  } finally {
    await pool.query(`drop schema if exists ${scratch} cascade`).catch(() => undefined);
    await pool.end();
  }
}

interface Checkpoint {
  readonly stream: string;
  readonly seq: number;
}

const standing = async (pool: Pool, schema: string, { log, projection }: ProjectionOptions): Promise<Checkpoint[]> => {
  const query = `select stream, incarnation, seq from ${schema}.checkpoint where projection = $1`;
  const { rows } = await pool.query<Checkpoint & { incarnation: string }>(query, [projection.name]);
  return rows.filter(({ stream, incarnation }) => log.incarnation(stream) === incarnation);
};

/** Streams whose end the projection did not reach in time. */
async function waited(pool: Pool, options: ProjectionOptions): Promise<readonly string[]> {
  const { log, projection, patience = 15_000 } = options;
  if (patience === 0) return [];
  const ends = await Promise.all(log.streams.map(async (stream) => ({ stream, seq: await lastSeqOf(log, stream) })));
  for (const until = Date.now() + patience; ; await sleep(100)) {
    const reached = new Map((await standing(pool, projection.schema, options)).map(({ stream, seq }) => [stream, seq]));
    const late = ends.filter(({ stream, seq }) => (reached.get(stream) ?? 0) < seq).map(({ stream }) => stream);
    if (late.length === 0 || Date.now() > until) return late;
  }
}

/** Copies of the live table and its checkpoints, and empty tables like all of the live ones. */
async function snapshot(pool: Pool, { projection, table }: ProjectionOptions, scratch: string): Promise<void> {
  const { schema } = projection;
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read');
    await client.query(`create schema ${scratch}`);
    const { rows } = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = $1 and table_type = 'BASE TABLE'",
      [schema],
    );
    for (const { name } of rows)
      await client.query(`create table ${scratch}.${name} (like ${schema}.${name} including all)`);
    await client.query(`create table ${scratch}.live as table ${schema}.${table}`);
    await client.query(`create table ${scratch}.live_checkpoint as table ${schema}.checkpoint`);
    await client.query('commit');
  } finally {
    client.release(true);
  }
}

const batch = 500;

async function rebuild(pool: Pool, options: ProjectionOptions, scratch: string): Promise<number> {
  const { log, projection } = options;
  const query = `select stream, incarnation, seq from ${scratch}.live_checkpoint where projection = $1`;
  const { rows } = await pool.query<Checkpoint & { incarnation: string }>(query, [projection.name]);
  let count = 0;
  for (const { stream, incarnation, seq: upto } of rows) {
    if (log.incarnation(stream) !== incarnation) continue;
    const at = { projection: projection.name, stream, incarnation };
    for await (const facts of batches(log.tail(stream, { upto })))
      count += await applyBatch(pool, { ...projection, schema: scratch }, at, facts);
  }
  return count;
}

async function* batches(facts: AsyncIterable<ClearFact>): AsyncGenerator<ClearFact[]> {
  let waiting: ClearFact[] = [];
  for await (const fact of facts) {
    waiting.push(fact);
    if (waiting.length < batch) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0) yield waiting;
}

const shown = 5;

async function compared(
  pool: Pool,
  { projection, table }: ProjectionOptions,
  scratch: string,
  late: readonly string[],
): Promise<Pick<ProjectionReport, 'rows' | 'findings'>> {
  const name = `${projection.schema}.${table}`;
  const [live, anew] = [`${scratch}.live`, `${scratch}.${table}`];
  const only = async (one: string, other: string): Promise<readonly string[]> => {
    const query = `select row_to_json(r)::text as row from (table ${one} except all table ${other}) r limit ${shown}`;
    return (await pool.query<{ row: string }>(query)).rows.map(({ row }) => row);
  };
  const { rows } = await pool.query<{ rows: number }>(`select count(*) as rows from ${live}`);
  const findings = [
    ...late.map((stream) => finding(name, `it did not come to the end of ${stream}`)),
    ...(await only(live, anew)).map((row) => finding(name, `it holds a row that a rebuild does not: ${row}`)),
    ...(await only(anew, live)).map((row) => finding(name, `it lacks a row that a rebuild makes: ${row}`)),
  ];
  return { rows: rows[0]?.rows ?? 0, findings };
}

/** Rows hold no content (design, invariant 7), so they can be shown. */
function finding(table: string, message: string): Finding {
  return { rule: 'projection', invariant: 1, tenant: '', job: '', stream: 'postgres', seq: 0, subject: table, message };
}
