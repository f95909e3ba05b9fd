/** Projections made anew from the log, beside what the same process needs to read and decode it alone. */
import { auditView } from '@loom/audit';
import { usageView } from '@loom/billing';
import type { Log } from '@loom/log';
import { openPool, rebuild, type Projection } from '@loom/projection';
import { startDatabase } from './database.ts';
import { figures, type Figure, type Round } from './figures.ts';
import { timed } from './meter.ts';
import type { BenchOptions } from './pingpong.ts';

type Pool = ReturnType<typeof openPool>;

/** @param log what it holds is rebuilt; nobody writes to it meanwhile */
export async function* rebuilds(log: Log, { rounds, note }: BenchOptions): AsyncGenerator<Figure> {
  await using database = await startDatabase();
  for (const projection of [usageView, auditView]) {
    await database.migrate(projection.schema);
    const pool = openPool(database.url, 'rebuild', 8);
    try {
      // The first one fills the live tables that those after it are held against.
      const facts = await rebuilt(log, pool, projection);
      const pairs: { ours: Round; theirs: Round }[] = [];
      for (let i = 0; i < rounds; i++) {
        note(`${projection.schema} rebuilt, round ${i + 1} of ${rounds}`);
        const read = await timed(() => decoded(log));
        const made = await timed(() => rebuilt(log, pool, projection, facts));
        pairs.push({ theirs: roundOf(facts, read), ours: roundOf(facts, made) });
      }
      const what = `${facts} facts, ${projection.schema} rebuilt`;
      yield* figures({ bench: 'replay', case: what, reference: 'read, decoded' }, pairs);
    } finally {
      await pool.end();
    }
  }
}

/** Postgres works beside this process, so it is in the rate alone. */
const roundOf = (facts: number, { ms, busy }: { readonly ms: number; readonly busy: number }): Round => ({
  facts: facts / (ms / 1000),
  busy,
});

/** From the first table to the swap. @throws when it does not agree with the live one, or took other facts than the one before */
async function rebuilt(log: Log, pool: Pool, projection: Projection, before?: number): Promise<number> {
  const { facts, differing, unread, swapped } = await rebuild({ log, pool, projection });
  const same = before === undefined || (facts === before && differing === 0);
  if (!swapped || !same || unread.length > 0) throw new Error(`the rebuild of ${projection.schema} does not agree`);
  return facts;
}

/** All streams at once, as a rebuild reads them. */
async function decoded(log: Log): Promise<void> {
  const drain = async (stream: string): Promise<void> => {
    for await (const _ of log.tail(stream));
  };
  await Promise.all(log.streams.map(drain));
}
