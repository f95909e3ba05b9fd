/** The projections of a stack held against rebuilds: usage rows, the audit trail, the list of jobs. */
import { auditView } from '@loom/audit';
import { usageView } from '@loom/billing';
import { checkJobRows, checkProjection, type Finding, type Row } from '@loom/check';
import { rowOf } from '@loom/gateway';
import type { Job } from '@loom/job';
import type { Log } from '@loom/log';
import { openPool } from '@loom/projection';

interface Checked {
  readonly findings: readonly Finding[];
  /** Rows compared, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

interface Options {
  readonly log: Log;
  /** As a superuser. */
  readonly postgresUrl: string;
  /** The log has a vault, so jobs can be folded. */
  readonly opens: boolean;
  /** Facts still come: projections are compared where they are. */
  readonly running?: boolean;
}

/** How long the projections may take, all together, to be at the log's end on a machine that has other things to do; ms. */
const longest = 60_000;

/** @throws LoomError `log_unavailable`, `damaged`, `database_unavailable` */
export async function checkProjections({ log, postgresUrl: url, opens, running = false }: Options): Promise<Checked> {
  const end = Date.now() + longest;
  const left = (): number => (running ? 0 : Math.max(1, end - Date.now()));
  const usage = await checkProjection({ log, url, projection: usageView, patience: left() });
  const audit = await checkProjection({ log, url, projection: auditView, patience: left() });
  const jobs = opens ? await jobRows(log, url, { running, patience: left() }) : { rows: 0, findings: [] };
  return {
    findings: [...usage.findings, ...audit.findings, ...jobs.findings],
    rows: {
      'billing.usage': usage.rows,
      'audit.audit_log': audit.rows,
      ...(opens ? { 'gateway.jobs': jobs.rows } : {}),
    },
  };
}

interface Wait {
  readonly running: boolean;
  /** ms */
  readonly patience: number;
}

async function jobRows(log: Log, url: string, wait: Wait): ReturnType<typeof checkJobRows> {
  const pool = openPool(url, 'check');
  const query = 'select * from gateway.jobs where tenant = $1 and id = $2';
  try {
    return await checkJobRows({
      log,
      table: 'gateway.jobs',
      ...wait,
      expected: columnsOf,
      rowOf: async ({ tenant, stream }) => (await pool.query<Row>(query, [tenant, stream])).rows[0] ?? null,
    });
  } finally {
    await pool.end();
  }
}

function columnsOf(job: Job): Row | null {
  const row = rowOf(job);
  if (row === null) return null;
  const { id, engagement, owner, status } = row;
  const times = { created_at: row.createdAt, updated_at: row.updatedAt };
  const money = { budget_micros: row.budgetMicros, reserved_micros: row.reservedMicros, spent_micros: row.spentMicros };
  return { tenant: job.tenant, id, engagement, owner, status, ...times, ...money, last_seq: row.lastSeq };
}
