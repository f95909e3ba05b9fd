import { setTimeout as sleep } from 'node:timers/promises';
import { LoomError } from '@loom/service';
import type { Identity } from '../identity/tokens.ts';
import type { Parts } from '../parts.ts';
import type { JobRow, Query } from '../views/jobs.ts';

/** A page of jobs from the read model, each with its brief opened from the log. */
export async function summaries(parts: Parts, caller: Identity, query: Query) {
  await settled(parts, caller.tenant);
  const { rows, next } = await parts.rows.page(caller.tenant, query);
  return { items: await Promise.all(rows.map((row) => summary(parts, caller, row))), next_cursor: next };
}

async function summary(parts: Parts, caller: Identity, row: JobRow) {
  return {
    id: row.id,
    status: row.status,
    brief: await briefOf(parts, caller, row.id),
    engagement: row.engagement,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    budget_micros: row.budgetMicros,
    reserved_micros: row.reservedMicros,
    spent_micros: row.spentMicros,
    last_seq: row.lastSeq,
  };
}

/** '' once the job's content is gone. */
async function briefOf({ log }: Parts, { tenant }: Identity, id: string): Promise<string> {
  try {
    const item = (await log.get({ tenant, stream: id }, 'gateway', 'job.submitted', '0'))?.items[0];
    return item?.type === 'job.submitted' ? item.body.brief : '';
  } catch (cause) {
    if (LoomError.from(cause).code === 'key_destroyed') return '';
    throw cause;
  }
}

/** Longest wait for the read model to show what this process submitted for the tenant, ms: who submits and lists sees it. */
export const patience = 2_000;

async function settled({ rows }: Parts, tenant: string): Promise<void> {
  const until = performance.now() + patience;
  for (let wait = 5; !(await rows.shows(tenant)) && performance.now() < until; wait = Math.min(wait * 2, 100))
    await sleep(wait);
}
