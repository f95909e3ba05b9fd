/**
 * A schema beside a projection's own, in which its tables are made anew.
 * Z1  Nobody but the one who rebuilds can reach it: it has no grants and no policies until its tables take the live ones' place.
 * Z2  A table that takes a live one's place has its columns, constraints, indexes by name, owner, grants, policies and comments.
 */
import { LoomError } from '@loom/service';
import type { Pool } from 'pg';
import type { Projection } from '../project.ts';
import { transact } from '../transaction.ts';
import type { Tx } from '../transaction.ts';

export interface Beside {
  /** As one whom row-level security does not hold. */
  readonly pool: Pool;
  /** The live one. */
  readonly projection: Projection;
  /** The schema beside it. */
  readonly schema: string;
}

/** Tables beside, empty, like the live ones; a schema that was left behind by a killed rebuild goes. @throws LoomError `forbidden` */
export async function openBeside(beside: Beside): Promise<void> {
  const { pool, projection, schema } = beside;
  const { schema: live, tables } = projection;
  await transact(pool, async (tx) => {
    await mayCompare(tx);
    await tx.query(`drop schema if exists ${schema} cascade`);
    await tx.query(`create schema ${schema}`);
    for (const table of [...tables, 'checkpoint'])
      await tx.query(`create table ${schema}.${table} (like ${live}.${table} including all)`);
    for (const table of tables) await nameIndexes(tx, `${live}.${table}`, `${schema}.${table}`);
  });
}

export async function dropBeside({ pool, schema }: Pick<Beside, 'pool' | 'schema'>): Promise<void> {
  await pool.query(`drop schema if exists ${schema} cascade`);
}

const seesAll = 'select rolsuper or rolbypassrls as all from pg_roles where rolname = current_user';

/** What stands on a table by its identity would keep standing on the old one. */
const standsOn = `
  select format('view %s', v.oid::regclass) as what from pg_depend d join pg_rewrite w on w.oid = d.objid join pg_class v on v.oid = w.ev_class
  where d.classid = 'pg_rewrite'::regclass and d.refobjid = $1::text::regclass and v.oid <> d.refobjid
  union select format('trigger %I', tgname) from pg_trigger where tgrelid = $1::text::regclass and not tgisinternal
  union select format('foreign key %I', conname) from pg_constraint where contype = 'f' and $1::text::regclass in (conrelid, confrelid)`;

async function mayCompare(tx: Tx): Promise<void> {
  const [role] = await tx.query<{ all: boolean }>(seesAll);
  if (role?.all !== true)
    throw new LoomError(
      'forbidden',
      'a rebuild compares rows of all tenants: it needs a superuser, or a role with BYPASSRLS',
    );
}

/** @throws LoomError `forbidden` naming what would be left on the old table */
export async function maySwap({ pool, projection: { schema, tables } }: Beside): Promise<void> {
  for (const table of tables) {
    const [found] = (await pool.query<{ what: string }>(standsOn, [`${schema}.${table}`])).rows;
    if (found !== undefined)
      throw new LoomError(
        'forbidden',
        `${schema}.${table} cannot be swapped: the ${found.what} stands on it; drop it, rebuild, make it again`,
      );
  }
}

const definition = `regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .+? ON \\S+ ', '\\1')`;
const indexesOf = (param: string): string => `
  select indexrelid, relname as name, ${definition} as definition, row_number() over (partition by ${definition} order by relname) as nth
  from pg_index join pg_class on pg_class.oid = indexrelid where indrelid = ${param}::text::regclass`;
const renames = `
  select format('alter index %s rename to %I', b.indexrelid::regclass, l.name) as statement
  from (${indexesOf('$1')}) l join (${indexesOf('$2')}) b using (definition, nth) where l.name <> b.name`;

/** Copied indexes are named by Postgres; two of them may have to change names, so each goes by a third. */
async function nameIndexes(tx: Tx, live: string, beside: string): Promise<void> {
  const wanted = await tx.query<{ statement: string }>(renames, [live, beside]);
  for (const { statement } of wanted) await tx.query(statement);
}

const roleName = (oid: string): string =>
  `case when ${oid} = 0 then 'public' else quote_ident(pg_get_userbyid(${oid})) end`;
const grantable = `case when a.is_grantable then ' with grant option' else '' end`;

/** The statements that give table `$2` what table `$1` has and `like` does not copy. */
const dressing = `
  with t as (select * from pg_class where oid = $1::text::regclass)
  select 1 as nth, format('alter table %s owner to %I', $2::text, pg_get_userbyid(relowner)) as statement from t
  union all select 2, format('grant %s on %s to %s%s', a.privilege_type, $2::text, ${roleName('a.grantee')}, ${grantable}) from t, aclexplode(relacl) a
  union all select 2, format('grant %s (%I) on %s to %s%s', a.privilege_type, attname, $2::text, ${roleName('a.grantee')}, ${grantable})
    from t join pg_attribute on attrelid = t.oid, aclexplode(attacl) a
  union all select 3, format('create policy %I on %s as %s for %s to %s%s%s', polname, $2::text,
      case when polpermissive then 'permissive' else 'restrictive' end,
      case polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
      (select string_agg(${roleName('role')}, ', ') from unnest(polroles) role),
      ' using (' || pg_get_expr(polqual, polrelid) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')')
    from t join pg_policy on polrelid = t.oid
  union all select 4, format('alter table %s enable row level security', $2::text) from t where relrowsecurity
  union all select 4, format('alter table %s force row level security', $2::text) from t where relforcerowsecurity
  union all select 5, format('comment on table %s is %L', $2::text, obj_description(oid, 'pg_class')) from t
  order by nth`;

/** Z2, but for what `openBeside` copied. */
export async function dress(tx: Tx, live: string, beside: string): Promise<void> {
  const statements = await tx.query<{ statement: string }>(dressing, [live, beside]);
  for (const { statement } of statements) await tx.query(statement);
}

const columns = `
  select string_agg(format('%s %s %s', attname, atttypid::regtype, attnotnull), ', ' order by attnum) as columns
  from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and not attisdropped`;

/** A migration may have come while the rebuild ran. */
export async function sameColumns(tx: Tx, live: string, beside: string): Promise<boolean> {
  const of = async (table: string): Promise<string> =>
    (await tx.query<{ columns: string }>(columns, [table]))[0]?.columns ?? '';
  return (await of(live)) === (await of(beside));
}
