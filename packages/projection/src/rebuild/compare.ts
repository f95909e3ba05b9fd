/**
 * The tables beside held against the live ones, row by row.
 * Q1  Live rows and checkpoints are copied in one snapshot; the tables beside are filled up to those checkpoints, so both speak of the same facts.
 * Q2  The live schema is read only.
 */
import type { Kept } from '../project.ts';
import { transact } from '../transaction.ts';
import type { Tx } from '../transaction.ts';
import type { Beside } from './beside.ts';
import type { FactLog } from './fill.ts';

/** A row that only one side has. Rows hold no content (design, invariant 7), so they can be shown. */
export interface Difference {
  /** `<schema>.<table>` of the live side. */
  readonly table: string;
  readonly side: 'live' | 'rebuilt';
  /** As JSON. */
  readonly row: string;
}

export interface Comparison {
  /** Rows of the live tables. */
  readonly rows: number;
  /** Rows that only one side has. */
  readonly differing: number;
  /** The first few of each table and side. */
  readonly differences: readonly Difference[];
}

const copyOf = (table: string): string => `live_${table}`;

/** Copies the live tables as they are; where their checkpoints stood then, by stream. */
export async function snapshotLive({ pool, projection, schema }: Beside, log: FactLog): Promise<Map<string, number>> {
  const { schema: live, tables, name } = projection;
  return transact(pool, async (tx) => {
    await tx.query('set transaction isolation level repeatable read');
    await tx.query('set local statement_timeout = 0');
    for (const table of tables)
      await tx.query(`create unlogged table ${schema}.${copyOf(table)} as table ${live}.${table}`);
    const query = `select stream, incarnation, seq from ${live}.checkpoint where projection = $1`;
    const found = await tx.query<{ stream: string; incarnation: string; seq: number }>(query, [name]);
    const standing = found.filter(({ stream, incarnation }) => log.incarnation(stream) === incarnation);
    return new Map(standing.map(({ stream, seq }) => [stream, seq]));
  });
}

/** Compares with the copies. What the facts kept do not decide is settled by them first. */
export function compare({ pool, projection, schema }: Beside): Promise<Comparison> {
  return transact(pool, async (tx) => {
    await tx.query('set local statement_timeout = 0');
    const sides: Sided[] = [];
    let rows = 0;
    for (const table of projection.tables) {
      const [live, rebuilt] = [`${schema}.${copyOf(table)}`, `${schema}.${table}`];
      const name = `${projection.schema}.${table}`;
      const kept = projection.kept?.[table];
      await settleKept(tx, kept, name, live, rebuilt);
      await leaveOutAhead(tx, kept?.folded, name, live, rebuilt);
      const [count] = await tx.query<{ rows: number }>(`select count(*) as rows from ${live}`);
      rows += count?.rows ?? 0;
      sides.push({ ...(await only(tx, live, rebuilt)), table: name, side: 'live' });
      sides.push({ ...(await only(tx, rebuilt, live)), table: name, side: 'rebuilt' });
    }
    const differences = sides.flatMap(({ table, side, shown }) => shown.map((row) => ({ table, side, row })));
    return { rows, differing: sides.reduce((sum, { count }) => sum + count, 0), differences };
  });
}

interface Sided extends Pick<Difference, 'table' | 'side'> {
  readonly count: number;
  readonly shown: readonly string[];
}

const most = 5;

async function only(tx: Tx, one: string, other: string): Promise<Pick<Sided, 'count' | 'shown'>> {
  const query = `select row_to_json(r)::text as row, count(*) over () as count from (table ${one} except all table ${other}) r limit ${most}`;
  const found = await tx.query<{ row: string; count: number }>(query);
  return { count: found[0]?.count ?? 0, shown: found.map(({ row }) => row) };
}

const keyColumns = `
  select attname as name from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
  where indrelid = $1::text::regclass and indisprimary`;

/** The condition that a row `l` and a row `r` have one key. */
async function sameKey(tx: Tx, table: string): Promise<string> {
  const key = await tx.query<{ name: string }>(keyColumns, [table]);
  return key.map(({ name }) => `l.${name} = r.${name}`).join(' and ');
}

/** Copies of live rows that were folded further than their checkpoint are replaced by what is held against them: nothing can be said of them. */
async function leaveOutAhead(
  tx: Tx,
  folded: string | undefined,
  named: string,
  live: string,
  rebuilt: string,
): Promise<void> {
  if (folded === undefined) return;
  const ahead = `${await sameKey(tx, named)} and l.${folded} > r.${folded}`;
  await tx.query(
    `with ahead as (delete from ${live} l using ${rebuilt} r where ${ahead} returning r.*) insert into ${live} select * from ahead`,
  );
}

/** Rows that retention removed do not come back; rows that outlive their facts are taken over (`Kept`). `named`: the live table, for its key. */
export async function settleKept(
  tx: Tx,
  kept: Kept | undefined,
  named: string,
  live: string,
  rebuilt: string,
): Promise<void> {
  if (kept === undefined) return;
  const same = await sameKey(tx, named);
  const { days, outlives } = kept;
  if (days !== undefined)
    await tx.query(
      `delete from ${rebuilt} r where r.${days.by} < now() - make_interval(days => $1) and not exists (select 1 from ${live} l where ${same})`,
      [days.days],
    );
  if (outlives !== undefined)
    await tx.query(
      `insert into ${rebuilt} select * from ${live} l where (${outlives}) and not exists (select 1 from ${rebuilt} r where ${same})`,
    );
}

/** Good plans from the first query on. */
export async function analyze({ pool, projection, schema }: Beside): Promise<void> {
  for (const table of projection.tables) await pool.query(`analyze ${schema}.${table}`);
}
