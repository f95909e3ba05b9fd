/**
 * Reads billing's rows of what was used; owns none. One place says what was spent, and bills are written from it (docs/decisions/0009).
 * G6 holds here as well: every query names its tenant, and row-level security gives no other.
 */
import { asTenant } from '@loom/projection';
import { LoomError } from '@loom/service';
import type { Pool } from 'pg';

export type GroupBy = 'day' | 'job' | 'model' | 'engagement';

/** From its begin up to, not including, its end. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Sums {
  readonly jobs: number;
  readonly steps: number;
  readonly attempts: number;
  readonly tokens_in: number;
  readonly tokens_cached: number;
  readonly tokens_out: number;
  readonly cost_micros: number;
  readonly tool_micros: number;
  readonly waste_micros: number;
  readonly spent_micros: number;
  readonly seconds: number;
}

type Group = Sums & { readonly key: string };

export interface UsageRow extends Omit<Sums, 'jobs' | 'steps'> {
  readonly job: string;
  readonly kind: 'step' | 'workspace';
  readonly key: string;
  readonly engagement: string;
  readonly agent: string;
  readonly step: number;
  readonly outcome: string;
  readonly provider: string;
  readonly model: string;
  readonly price_version: string;
  readonly at: Date;
}

interface Found<R> {
  readonly rows: readonly R[];
  readonly next: string | null;
}

export interface UsageRows {
  total(tenant: string, period: Period): Promise<Sums>;
  /** Days newest first, all else dearest first. @throws LoomError `validation_failed` for a cursor that is none of ours */
  groups(tenant: string, period: Period, by: GroupBy, page: Page): Promise<Found<Group>>;
  /** Newest first. @throws as `groups` */
  rows(tenant: string, period: Period, page: Page): Promise<Found<UsageRow>>;
}

export function usageRows(pool: Pool): UsageRows {
  const query = <R extends object>(tenant: string, text: string, values: readonly unknown[]): Promise<readonly R[]> =>
    asTenant(pool, 'billing', tenant, (tx) => tx.query<R>(text, values));
  return {
    async total(tenant, { from, to }) {
      const [row] = await query<Sums>(tenant, `select ${sums} from usage where ${within}`, [from, to]);
      return row ?? nothing;
    },
    async groups(tenant, { from, to }, by, { limit, cursor }) {
      const after = cursor === undefined ? [null, null] : placeOf(cursor, isRank);
      const found = await query<Group>(tenant, groupsBy[by], [from, to, ...after, limit + 1]);
      const rankOf = ({ key, spent_micros: spent }: Group) => (by === 'day' ? Date.parse(key) / 86_400_000 : spent);
      return pageOf(found, limit, (group) => [String(rankOf(group)), group.key]);
    },
    async rows(tenant, { from, to }, { limit, cursor }) {
      const after = cursor === undefined ? [null, null] : placeOf(cursor, isMoment);
      const found = await query<UsageRow>(tenant, eachRow, [from, to, ...after, limit + 1]);
      return pageOf(found, limit, ({ at, job, kind, key }) => [at.toISOString(), `${job} ${kind} ${key}`]);
    },
  };
}

const nothing: Sums = {
  jobs: 0,
  steps: 0,
  attempts: 0,
  tokens_in: 0,
  tokens_cached: 0,
  tokens_out: 0,
  cost_micros: 0,
  tool_micros: 0,
  waste_micros: 0,
  spent_micros: 0,
  seconds: 0,
};

const within = 'at >= $1 and at < $2';

/** `bigint` sums are `numeric` in Postgres; money and tokens of a tenant stay far below 2^53. */
const counted = [
  'attempts',
  'tokens_in',
  'tokens_cached',
  'tokens_out',
  'cost_micros',
  'tool_micros',
  'waste_micros',
  'seconds',
];
const sums = [
  'count(distinct job) as jobs',
  "count(*) filter (where kind = 'step') as steps",
  ...counted.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`),
  'coalesce(sum(cost_micros + tool_micros), 0)::bigint as spent_micros',
].join(', ');

const grouped = (key: string, rank: string): string => `
  select key, ${Object.keys(nothing).join(', ')} from (
    select ${key} as key, (${rank})::bigint as rank, ${sums} from usage where ${within} group by 1
  ) as each
  where $3::bigint is null or (rank, key) < ($3, $4::text)
  order by rank desc, key desc limit $5`;

const spent = 'sum(cost_micros + tool_micros)';
const groupsBy: Readonly<Record<GroupBy, string>> = {
  day: grouped('day::text', "min(day) - date '1970-01-01'"),
  job: grouped('job', spent),
  model: grouped('model', spent),
  engagement: grouped('engagement', spent),
};

const place = "(job || ' ' || kind || ' ' || key)";
/** Cursors carry milliseconds, and so do the rows: `at` comes from the log's own. */
const eachRow = `
  select job, kind, key, engagement, agent, step, attempts, outcome, provider, model, price_version, tokens_in, tokens_cached, tokens_out,
    cost_micros, tool_micros, waste_micros, cost_micros + tool_micros as spent_micros, seconds, at
  from usage where ${within} and ($3::timestamptz is null or (at, ${place}) < ($3, $4::text))
  order by at desc, ${place} desc limit $5`;

/** The first `limit` of what was found, and where the next page begins. */
function pageOf<R>(found: readonly R[], limit: number, placeOfRow: (row: R) => readonly [string, string]): Found<R> {
  const rows = found.slice(0, limit);
  const last = found.length > limit ? rows.at(-1) : undefined;
  return { rows, next: last === undefined ? null : Buffer.from(placeOfRow(last).join(' ')).toString('base64url') };
}

const isRank = (text: string): boolean => /^\d{1,15}$/.test(text);
const isMoment = (text: string): boolean => /^\d{4}-[\d-]{5}T[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text));

/** What a cursor of ours says. */
function placeOf(cursor: string, isFirst: (text: string) => boolean): readonly [string, string] {
  const [first = '', ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const second = rest.join(' ');
  if (!isFirst(first) || rest.length === 0 || second.includes('\0'))
    throw new LoomError('validation_failed', 'must be a next_cursor', { field: 'cursor' });
  return [first, second];
}
