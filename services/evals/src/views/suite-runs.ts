import type { ClearFact } from '@loom/log';
import type { Projection, Tx } from '@loom/projection';

const insert = `
  insert into suite_run (suite, run, at, cases, passed, score_ppm, jobs, duration_ms)
  select r.suite, r.run, to_timestamp(r.at / 1000.0), r.cases, r.passed, r.score_ppm, r.jobs, r.duration_ms
  from jsonb_to_recordset($1::jsonb) as r (suite text, run text, at bigint, cases int, passed int, score_ppm bigint, jobs text[], duration_ms bigint)
  on conflict do nothing`;

async function apply(tx: Tx, facts: readonly ClearFact[]): Promise<void> {
  const runs = facts.flatMap((fact) =>
    fact.items.flatMap((item) => (item.type === 'suite.ran' ? [{ ...item.body, run: item.key, at: fact.time }] : [])),
  );
  if (runs.length > 0) await tx.query(insert, [JSON.stringify(runs)]);
}

/** `evals.suite_run`: the scores over time. */
export const suiteRunView: Projection = { schema: 'evals', name: 'suite_run', tables: ['suite_run'], apply };
