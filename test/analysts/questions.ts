/** The questions of docs/operations/analysts.md asked of exported files in SQL, and what the API says to the same. */
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { Test, World } from './world.ts';

type Row = Readonly<Record<string, unknown>>;

export async function opened(): Promise<AsyncDisposable & { readonly connection: DuckDBConnection }> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  return { connection, [Symbol.asyncDispose]: async () => (connection.closeSync(), instance.closeSync()) };
}

/** The page's SQL, by the word in its first line; what stands before the questions is run as it is. */
export async function questions(db: DuckDBConnection, folder: string): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(new URL('../../docs/operations/analysts.md', import.meta.url), 'utf8');
  const [views = '', ...asked] = [...page.matchAll(/```sql\n([^`]*)```/g)].map(([, sql = '']) => sql);
  await db.run(views.replaceAll("'events/", `'${folder}/`));
  return new Map(asked.map((sql) => [/^-- (\w+)/.exec(sql)?.[1] ?? '', sql]));
}

export const ask = async (db: DuckDBConnection, sql: string): Promise<readonly Row[]> =>
  (await db.runAndReadAll(sql)).getRowObjectsJson() as readonly Row[];

interface Sums {
  readonly key: string;
  readonly steps: number;
  readonly spent_micros: number;
}

/** As `GET /v1/usage` tells it, once billing has seen the last job's end. */
async function usageOf(world: World, who: 'acme' | 'zeta', by: string): Promise<readonly Sums[]> {
  const { gateway } = world.clients[who];
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    const { items: jobs } = await gateway.json<{ items: { spent_micros: number }[] }>('GET', '/v1/jobs?limit=100');
    const spent = jobs.reduce((sum, { spent_micros: micros }) => sum + micros, 0);
    const path = `/v1/usage?group_by=${by}&limit=100`;
    const { total, items } = await gateway.json<{ total: Sums; items: Sums[] }>('GET', path);
    if (spent > 0 && total.spent_micros === spent) return items;
  }
  throw new Error('usage never came to what the jobs say');
}

async function equalsUsage(world: World, db: DuckDBConnection, asked: ReadonlyMap<string, string>): Promise<void> {
  const tenants = await ask(db, "select distinct tenant, stream from facts where type = 'job.submitted'");
  const plain = (row: Row): string => `${String(row['key'])} ${Number(row['steps'])} ${Number(row['spent_micros'])}`;
  for (const by of ['day', 'job', 'model']) {
    const rows = await ask(db, asked.get(by) ?? '');
    for (const who of ['acme', 'zeta'] as const) {
      const tenant = tenants.find(({ stream }) => stream === world.jobs[who][0])?.['tenant'];
      const ours = rows.filter((row) => row['tenant'] === tenant).map(plain);
      const told = (await usageOf(world, who, by)).map((sums) => plain({ ...sums }));
      assert.equal(ours.toSorted(), told.toSorted(), `${who} by ${by}`);
    }
  }
}

async function answered(world: World): Promise<void> {
  await using db = await opened();
  const asked = await questions(db.connection, join(world.folder, 'parquet'));
  assert.equal([...asked.keys()], ['day', 'job', 'model', 'outcome', 'ending']);
  await equalsUsage(world, db.connection, asked);
  const outcomes = await ask(db.connection, asked.get('outcome') ?? '');
  assert.ok(outcomes.length > 0 && outcomes.every(({ outcome }) => outcome === 'completed'));
  const endings = await ask(db.connection, asked.get('ending') ?? '');
  assert.equal(
    endings.map((row) => `${String(row['engagement'])} ${String(row['ending'])} ${Number(row['jobs'])}`).toSorted(),
    ['alpha job.completed 2', 'beta job.completed 1', 'default job.completed 2'],
  );
}

/** After `exportTests`. */
export function questionTests(test: Test): void {
  test('each question of the page has an answer, and where GET /v1/usage knows it too, the same one', ({ world }) =>
    answered(world));
}
