import type { ClearFact } from '@loom/log';
import type { Projection, Tx } from '@loom/projection';

const insert = `
  insert into artifact (tenant, job, key, object, written)
  select current_setting('app.tenant'), r.job, r.key, r.object, to_timestamp(r.at / 1000.0)
  from jsonb_to_recordset($1::jsonb) as r (job text, key text, object text, at bigint)
  on conflict do nothing`;

const expire = `
  update artifact set expired = to_timestamp(r.at / 1000.0)
  from jsonb_to_recordset($1::jsonb) as r (job text, key text, at bigint)
  where artifact.tenant = current_setting('app.tenant') and artifact.job = r.job and artifact.key = r.key`;

function entries(facts: readonly ClearFact[]) {
  const all = facts.flatMap((fact) => fact.items.map((item) => ({ job: fact.stream, at: fact.time, item })));
  return {
    written: all.flatMap(({ job, at, item }) =>
      item.type === 'artifact.written' ? [{ job, at, key: item.key, object: item.body.object }] : [],
    ),
    expired: all.flatMap(({ job, at, item }) =>
      item.type === 'artifact.expired' ? [{ job, at, key: item.body.artifact }] : [],
    ),
  };
}

async function apply(tx: Tx, facts: readonly ClearFact[]): Promise<void> {
  const { written, expired } = entries(facts);
  if (written.length > 0) await tx.query(insert, [JSON.stringify(written)]);
  if (expired.length > 0) await tx.query(expire, [JSON.stringify(expired)]);
}

/** `retention.artifact`: what is kept, and since when. */
export const artifactView: Projection = {
  schema: 'retention',
  name: 'artifact',
  tables: ['artifact'],
  apply,
  // An object that is still to be erased is known by its row alone once its job's facts are purged.
  kept: { artifact: { outlives: 'expired is null' } },
};

/** An artifact whose time has come. */
export interface Due {
  readonly tenant: string;
  readonly job: string;
  readonly key: string;
  readonly object: string;
}

const nextDue = `
  select tenant, job, key, object from artifact
  where expired is null and written <= to_timestamp($1 / 1000.0) and (tenant, job, key) > ($2, $3, $4)
  order by tenant, job, key limit 100`;

/** The next hundred written at or before `until` (Unix ms) and not recorded as expired, behind `after`. */
export function dueAfter(tx: Tx, until: number, after: Omit<Due, 'object'>): Promise<readonly Due[]> {
  return tx.query(nextDue, [until, after.tenant, after.job, after.key]);
}

const shared = `
  select 1 from artifact
  where object = $1 and expired is null and written > to_timestamp($2 / 1000.0) limit 1`;

/** Whether a younger artifact stands on the same object, which therefore stays. */
export async function isShared(tx: Tx, object: string, until: number): Promise<boolean> {
  return (await tx.query(shared, [object, until])).length > 0;
}
