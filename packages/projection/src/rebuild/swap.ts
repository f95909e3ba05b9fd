/**
 * Tables made beside take the live ones' place.
 * S1  One transaction: tables and checkpoints, or nothing.
 * S2  It locks `checkpoint` against writers first. A replica's transaction begins there, so it either ended before, or begins on the new tables
 *     and sees their checkpoint; what it brings was then read already, and is dropped by it (P2). No fact is lost or applied twice.
 * S3  Under that lock the log is read to its end, so no live checkpoint is ahead of the tables that come.
 * S4  Readers wait for the moment of the renaming alone: it is given up after a second, and tried again, when one of them stands in the way.
 */
import { LoomError, crashpoint } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { transact } from '../transaction.ts';
import type { Tx } from '../transaction.ts';
import { dress, sameColumns } from './beside.ts';
import type { Beside } from './beside.ts';
import { settleKept } from './compare.ts';

const tries = 60;
const lockNotAvailable = '55P03';

/** `catchUp` reads what the log has meanwhile into the tables beside. @throws LoomError `not_ready` when readers hold the tables for a minute */
export async function swap(beside: Beside, catchUp: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await catchUp();
    try {
      return await transact(beside.pool, (tx) => replace(tx, beside, catchUp));
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== lockNotAvailable) throw cause;
      if (attempt === tries)
        throw new LoomError(
          'not_ready',
          'somebody reads the live tables in one long transaction; end it and run this again',
          { cause },
        );
      await sleep(200 + Math.random() * 300);
    }
  }
}

async function replace(tx: Tx, beside: Beside, catchUp: () => Promise<void>): Promise<void> {
  const { projection, schema } = beside;
  const { schema: live, tables, kept, name } = projection;
  await tx.query("set local lock_timeout = '1s'");
  await tx.query(`lock table ${live}.checkpoint in share row exclusive mode`);
  await catchUp();
  for (const table of tables) {
    const [old, anew] = [`${live}.${table}`, `${schema}.${table}`];
    if (!(await sameColumns(tx, old, anew)))
      throw new LoomError('not_ready', `the columns of ${old} were changed meanwhile; run this again`);
    await settleKept(tx, kept?.[table], old, old, anew);
    await dress(tx, old, anew);
  }
  await tx.query(`lock table ${tables.map((table) => `${live}.${table}`).join(', ')} in access exclusive mode`);
  for (const table of tables) {
    await tx.query(`drop table ${live}.${table}`);
    await tx.query(`alter table ${schema}.${table} set schema ${live}`);
  }
  await tx.query(takeCheckpoints(live, schema), [name]);
  crashpoint(schema, 'swapping');
}

/** A checkpoint may stand on a fact that was purged since: the higher one holds, everything up to either was read. */
const takeCheckpoints = (live: string, schema: string): string => `
  insert into ${live}.checkpoint as c (projection, stream, incarnation, seq)
  select projection, stream, incarnation, seq from ${schema}.checkpoint where projection = $1
  on conflict (projection, stream, incarnation) do update set seq = greatest(c.seq, excluded.seq), at = now()`;
