import type { ClearFact } from '@loom/log';
import type { Projection, Tx } from '@loom/projection';
import { engagementsOf, usageOf } from '../domain/usage.ts';

const insertEngagements = `
  insert into engagement_of (tenant, job, engagement)
  select current_setting('app.tenant'), job, engagement from jsonb_to_recordset($1::jsonb) as r (job text, engagement text)
  on conflict do nothing`;

/** What the later fact says, where it says anything: a redrive brings an earlier one behind it. */
const latest = (column: string): string =>
  `case when excluded.seq > usage.seq then coalesce(nullif(excluded.${column}, ''), usage.${column}) else coalesce(nullif(usage.${column}, ''), excluded.${column}) end`;

/** The same sums as `sum` in the domain. */
const upsertUsage = `
  insert into usage (tenant, job, kind, key, engagement, agent, step, attempts, outcome, provider, model, price_version,
    tokens_in, tokens_cached, tokens_out, cost_micros, tool_micros, waste_micros, seconds, day, at, seq)
  select current_setting('app.tenant'), r.job, r.kind, r.key, coalesce(e.engagement, ''), r.agent, r.step, r.attempts, r.outcome, r.provider, r.model,
    r.price_version, r.tokens_in, r.tokens_cached, r.tokens_out, r.cost_micros, r.tool_micros, r.waste_micros, r.seconds,
    (to_timestamp(r.at / 1000.0) at time zone 'UTC')::date, to_timestamp(r.at / 1000.0), r.seq
  from jsonb_to_recordset($1::jsonb) as r (job text, kind text, key text, agent text, step int, attempts int, outcome text, provider text, model text,
    price_version text, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost_micros bigint, tool_micros bigint, waste_micros bigint,
    seconds bigint, at bigint, seq bigint)
  left join engagement_of e on e.tenant = current_setting('app.tenant') and e.job = r.job
  on conflict (tenant, job, kind, key) do update set
    attempts = usage.attempts + excluded.attempts,
    outcome = ${latest('outcome')},
    provider = ${latest('provider')},
    model = ${latest('model')},
    price_version = ${latest('price_version')},
    tokens_in = usage.tokens_in + excluded.tokens_in,
    tokens_cached = usage.tokens_cached + excluded.tokens_cached,
    tokens_out = usage.tokens_out + excluded.tokens_out,
    cost_micros = usage.cost_micros + excluded.cost_micros,
    tool_micros = usage.tool_micros + excluded.tool_micros,
    waste_micros = usage.waste_micros + excluded.waste_micros,
    seconds = usage.seconds + excluded.seconds,
    day = least(usage.day, excluded.day),
    at = least(usage.at, excluded.at),
    seq = greatest(usage.seq, excluded.seq)`;

async function apply(tx: Tx, facts: readonly ClearFact[]): Promise<void> {
  const engagements = engagementsOf(facts);
  if (engagements.length > 0) await tx.query(insertEngagements, [JSON.stringify(engagements)]);
  const usage = usageOf(facts);
  if (usage.length > 0) await tx.query(upsertUsage, [JSON.stringify(usage)]);
}

/** `billing.usage`: one row a step, one a workspace. */
export const usageView: Projection = {
  schema: 'billing',
  name: 'usage',
  tables: ['usage', 'engagement_of'],
  apply,
  kept: { usage: { days: { by: 'at', days: 30 } } },
};
