import type { ClearFact } from '@loom/log';
import type { Projection, Tx } from '@loom/projection';
import { rowsOf } from '../domain/rows.ts';

/** A rebuilt checkpoint meets rows that are there already: they are left as they are, the role could not change them. */
const insert = `
  insert into audit_log (tenant, stream, seq, item, time, kind, source, action, target, person, outcome, sum)
  select current_setting('app.tenant'), r.stream, r.seq, r.item, to_timestamp(r.time / 1000.0), r.kind, r.source, r.action, r.target, r.person, r.outcome, r.sum
  from jsonb_to_recordset($1::jsonb) as r (stream text, seq bigint, item int, time bigint, kind text, source text, action text, target text,
    person text, outcome text, sum text)
  on conflict do nothing`;

async function apply(tx: Tx, facts: readonly ClearFact[]): Promise<void> {
  const rows = facts.flatMap(rowsOf);
  if (rows.length > 0) await tx.query(insert, [JSON.stringify(rows)]);
}

/** `audit.audit_log`: one row an act. */
export const auditView: Projection = {
  schema: 'audit',
  name: 'audit_log',
  tables: ['audit_log'],
  apply,
  kept: { audit_log: { days: { by: 'time', days: 7 } } },
};
