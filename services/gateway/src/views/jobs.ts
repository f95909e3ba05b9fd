/**
 * Owns table `gateway.jobs`, one row a job without content. The log is the truth: a row is what its fold says.
 * G5  A row never goes back: an older fold does not overwrite a newer one.
 * G6  Every statement runs in a transaction that names its tenant; row-level security gives no other.
 */
import { moneyOf, status } from '@loom/job';
import type { Job, Status } from '@loom/job';
import type { Address } from '@loom/log';
import { asTenant } from '@loom/projection';
import type { Tx } from '@loom/projection';
import { LoomError } from '@loom/service';
import type { Pool } from 'pg';

export interface JobRow {
  readonly id: string;
  readonly status: Status;
  readonly engagement: string;
  readonly owner: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly budgetMicros: number;
  readonly reservedMicros: number;
  readonly spentMicros: number;
  readonly lastSeq: number;
}

export interface Query {
  readonly limit: number;
  readonly status?: string | undefined;
  readonly cursor?: string | undefined;
}

export interface JobRows {
  /** Newest first. @throws LoomError `validation_failed` for a cursor that is none of ours */
  page(tenant: string, query: Query): Promise<{ readonly rows: readonly JobRow[]; readonly next: string | null }>;
  /** Notes a job that this process submitted and that lists of its tenant are to show. */
  expect(tenant: string, id: string): void;
  /** Whether the job noted last for the tenant has its row. */
  shows(tenant: string): Promise<boolean>;
}

/** The row of a job, or null while its submission is not folded. */
export function rowOf(job: Job): JobRow | null {
  if (job.submitted === null) return null;
  const money = moneyOf(job);
  return {
    id: job.stream,
    status: status(job),
    engagement: job.submitted.engagement,
    owner: job.submitted.owner,
    createdAt: new Date(job.submittedAt),
    updatedAt: new Date(job.time),
    budgetMicros: money.budget_micros,
    reservedMicros: money.reserved_micros,
    spentMicros: money.spent_micros,
    lastSeq: job.seq,
  };
}

/** Most tenants whose newest submission is remembered. */
const most = 10_000;

export function jobRows(pool: Pool): JobRows {
  const expected = new Map<string, string>();
  return {
    expect(tenant, id) {
      expected.set(tenant, id);
      if (expected.size > most) expected.delete(expected.keys().next().value ?? tenant);
    },
    async shows(tenant) {
      const id = expected.get(tenant);
      if (id === undefined) return true;
      const shown = await asTenant(pool, 'gateway', tenant, (tx) => has(tx, id));
      if (shown && expected.get(tenant) === id) expected.delete(tenant);
      return shown;
    },
    page: (tenant, query) => asTenant(pool, 'gateway', tenant, (tx) => page(tx, query)),
  };
}

const upsert = `
  insert into jobs (tenant, id, engagement, owner, status, created_at, updated_at, budget_micros, reserved_micros, spent_micros, last_seq)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  on conflict (tenant, id) do update set
    status = excluded.status, updated_at = excluded.updated_at, budget_micros = excluded.budget_micros,
    reserved_micros = excluded.reserved_micros, spent_micros = excluded.spent_micros, last_seq = excluded.last_seq
  where jobs.last_seq < excluded.last_seq`;

export async function putRow(tx: Tx, tenant: string, row: JobRow): Promise<void> {
  const {
    id,
    engagement,
    owner,
    status: word,
    createdAt,
    updatedAt,
    budgetMicros,
    reservedMicros,
    spentMicros,
    lastSeq,
  } = row;
  await tx.query(upsert, [
    tenant,
    id,
    engagement,
    owner,
    word,
    createdAt,
    updatedAt,
    budgetMicros,
    reservedMicros,
    spentMicros,
    lastSeq,
  ]);
}

/** The row of a job that cannot be folded any more, as the live table has it: nothing to do there, a rebuild takes it over. */
export async function keepRow(tx: Tx, at: Address): Promise<void> {
  const keep = 'insert into jobs select * from gateway.jobs where tenant = $1 and id = $2 on conflict do nothing';
  await tx.query(keep, [at.tenant, at.stream]);
}

async function has(tx: Tx, id: string): Promise<boolean> {
  return (await tx.query('select 1 from gateway.jobs where id = $1', [id])).length === 1;
}

const select = `
  select * from gateway.jobs
  where ($1::text is null or status = $1) and ($2::timestamptz is null or (created_at, id) < ($2, $3))
  order by created_at desc, id desc limit $4`;

async function page(tx: Tx, query: Query): Promise<{ rows: JobRow[]; next: string | null }> {
  const [before, id] = query.cursor === undefined ? [null, null] : cursorOf(query.cursor);
  const rows = await tx.query<Found>(select, [query.status ?? null, before, id, query.limit + 1]);
  const shown = rows.slice(0, query.limit).map(read);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > query.limit && last ? cursorAt(last) : null };
}

interface Found {
  readonly id: string;
  readonly status: Status;
  readonly engagement: string;
  readonly owner: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly budget_micros: number;
  readonly reserved_micros: number;
  readonly spent_micros: number;
  readonly last_seq: number;
}

const read = (row: Found): JobRow => ({
  id: row.id,
  status: row.status,
  engagement: row.engagement,
  owner: row.owner,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  budgetMicros: row.budget_micros,
  reservedMicros: row.reserved_micros,
  spentMicros: row.spent_micros,
  lastSeq: row.last_seq,
});

const cursorAt = (row: JobRow): string => Buffer.from(`${row.createdAt.toISOString()} ${row.id}`).toString('base64url');

function cursorOf(cursor: string): [string, string] {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (job_[0-9a-z]{27})$/.exec(
    Buffer.from(cursor, 'base64url').toString(),
  );
  if (match === null) throw new LoomError('validation_failed', 'must be a next_cursor', { field: 'cursor' });
  return [match[1] ?? '', match[2] ?? ''];
}
