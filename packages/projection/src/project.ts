/**
 * Owns how facts become rows exactly once; does not own the tables (each service's migrations do) nor redelivery (the log does).
 * P1  Rows and checkpoint move in one transaction; the log is acked after its commit. A crash between the two hands the batch over again, and P2 drops it.
 * P2  Facts at or below the checkpoint are skipped, under a lock of the checkpoint's row: two replicas, or one twice, apply a fact once.
 * P3  `apply` sees the facts of one tenant, in order, with `app.tenant` set for this transaction alone, so row-level security holds for projections too.
 * P4  Rows may have been set back behind what was acked. Under the same lock the checkpoint is held against that, and what is missing is asked for.
 * P5  A redrive brings its fact at its own place, under the same checkpoint: it is applied once, of whichever tenant it is.
 * P6  Tables are named without a schema: `search_path` names it, so the same code can fill another schema beside the live one.
 */
import { crashpoint, inSpan, metrics } from '@loom/service';
import { Behind, withRedriven } from '@loom/log';
import type { ClearFact, Log } from '@loom/log';
import type { Pool } from 'pg';
import { advance, lockCheckpoint } from './checkpoint.ts';
import type { Position } from './checkpoint.ts';
import { transact } from './transaction.ts';
import type { Tx } from './transaction.ts';

/** A read model in Postgres. */
export interface Projection {
  /** Schema that holds its tables and a table `checkpoint`. */
  readonly schema: string;
  readonly name: string;
  /** All that `apply` writes to; a rebuild makes them anew. */
  readonly tables: readonly string[];
  /** Reads, before the transaction begins, what `apply` will want of the log. */
  readonly prepare?: (facts: readonly ClearFact[]) => Promise<void>;
  /** Facts of one tenant in order; must not throw on any fact that is in the log. Names its tenant where it reads: a rebuild is not held by row-level security. */
  readonly apply: (tx: Tx, facts: readonly ClearFact[]) => Promise<void>;
  /** What a rebuild has to know of how long rows are kept, by table. */
  readonly kept?: Readonly<Record<string, Kept>>;
}

/** Rows that are not simply what the facts kept say. */
export interface Kept {
  /** Rows whose time in column `by` is longer ago are retention's to remove: those that are gone do not come back. */
  readonly days?: { readonly by: string; readonly days: number };
  /** SQL condition of rows that outlive their facts: they are taken over from the live table. */
  readonly outlives?: string;
  /** Column of the sequence up to which a row was folded, where live rows may be ahead of their checkpoint: such rows are not compared. */
  readonly folded?: string;
}

export interface ProjectOptions extends Projection {
  readonly log: Pick<Log, 'consumeBatches' | 'incarnation'>;
  readonly pool: Pool;
  /** Whose durables are read. */
  readonly service: string;
  readonly signal: AbortSignal;
  /** Facts a transaction, at most. */
  readonly size?: number;
}

/** A transaction, a fold and a read of the log for ten facts instead of one: rows of a job at work are as much later. ms */
const pace = 100;

const projected = metrics.counter('loom_projection_facts', 'Facts applied to projections');
const lag = metrics.histogram(
  'loom_projection_lag_ms',
  'Age of the newest fact of a batch when its rows were committed',
  [10, 30, 100, 300, 1_000, 3_000, 10_000, 60_000, 600_000],
);

/** Until the signal aborts: batches of the service's durables into rows. Facts are acked after the commit. */
export async function project(options: ProjectOptions): Promise<void> {
  const { log, pool, service, name, signal } = options;
  await log.consumeBatches({
    service,
    size: options.size ?? 200,
    pace,
    signal,
    handle: async (stream, facts, after) => {
      const at = { projection: name, stream, incarnation: log.incarnation(stream) };
      const applied = applyBatch(pool, options, at, facts, { after, signal });
      await Promise.all([applied, ...tracesOf(service, name, facts, applied)]);
      measure(name, await applied, facts);
    },
  });
}

/** One span a job, so that a job's trace shows when its rows were there. */
function tracesOf(
  service: string,
  name: string,
  facts: readonly ClearFact[],
  applied: Promise<number>,
): Promise<number>[] {
  const last = new Map(
    facts.filter((fact) => fact.traceparent !== '').map((fact) => [`${fact.tenant}/${fact.stream}`, fact]),
  );
  return [...last.values()].map((fact) =>
    inSpan(
      `${service} project ${name}`,
      fact.traceparent,
      { 'service.name': service, 'loom.job': fact.stream, 'loom.seq': fact.seq },
      () => applied,
    ),
  );
}

function measure(projection: string, applied: number, facts: readonly ClearFact[]): void {
  const last = facts.at(-1);
  if (last === undefined) return;
  projected.add(applied, { projection });
  lag.record(Math.max(0, Date.now() - last.time), { projection });
}

interface Applying {
  /** Everything up to here was acked: a checkpoint below it has lost some of it. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/**
 * Applies what of a batch of one event stream lies above the checkpoint, in one transaction. Returns how many facts that were.
 * @throws LoomError `database_unavailable`; Behind when the checkpoint is below `after`
 */
export async function applyBatch(
  pool: Pool,
  projection: Projection,
  at: Position,
  facts: readonly ClearFact[],
  { after = 0, signal }: Applying = {},
): Promise<number> {
  await projection.prepare?.(facts.flatMap(withRedriven));
  const applied = await transact(
    pool,
    async (tx) => {
      await tx.query("select set_config('search_path', $1, true)", [projection.schema]);
      const checkpoint = await lockCheckpoint(tx, at);
      if (checkpoint < after) throw new Behind(checkpoint);
      const fresh = facts.filter((fact) => fact.seq > checkpoint);
      const last = fresh.at(-1);
      if (last === undefined) return 0;
      for (const [tenant, own] of byTenant(inOrder(fresh))) await applyTenant(tx, projection, tenant, own);
      await advance(tx, at, last.seq);
      crashpoint(projection.schema, 'applied');
      return fresh.length;
    },
    signal,
  );
  crashpoint(projection.schema, 'committed');
  return applied;
}

async function applyTenant(tx: Tx, projection: Projection, tenant: string, facts: readonly ClearFact[]): Promise<void> {
  await tx.query("select set_config('app.tenant', $1, true)", [tenant]);
  await projection.apply(tx, facts);
}

const inOrder = (facts: readonly ClearFact[]): readonly ClearFact[] =>
  facts.flatMap(withRedriven).toSorted((a, b) => a.seq - b.seq);

const byTenant = (facts: readonly ClearFact[]): Map<string, ClearFact[]> => Map.groupBy(facts, (fact) => fact.tenant);

/** Runs a query of one tenant: `app.tenant` and `search_path` hold for this transaction alone. */
export async function asTenant<T>(
  pool: Pool,
  schema: string,
  tenant: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return transact(pool, async (tx) => {
    await tx.query("select set_config('search_path', $1, true), set_config('app.tenant', $2, true)", [schema, tenant]);
    return work(tx);
  });
}
