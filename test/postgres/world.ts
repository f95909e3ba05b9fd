/** The real billing projection between a real log under load and a Postgres that faults are done to. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, Draft, Log } from '@loom/log';
import { applyBatch, openPool } from '@loom/projection';
import pg from 'pg';
import { job, passwordOf, submitted, world } from '../../packages/log/test/world.ts';
import { start } from '../../services/billing/src/index.ts';
import { usageView } from '../../services/billing/src/views/usage.ts';
import { settled } from '../../services/billing/test/build.ts';

const jobs = 6;
const replicas = 2;

export interface BillingWorld extends AsyncDisposable {
  /** NATS address of the log. */
  readonly natsUrl: string;
  /** As the operator. */
  operator(): Promise<Log>;
  /** Ports of the replicas' health servers. */
  readonly health: readonly number[];
  /** Ends the load, waits until the rows have caught up, and holds them against a rebuild. @throws when they hold more attempts than the log */
  settle(): Promise<Settled>;
}

export interface Settled {
  /** Of the live table. */
  readonly rows: number;
  /** That the log has. */
  readonly attempts: number;
  /** Rows that are not the same in the rebuild, or missing on one side; as JSON, the first few. */
  readonly wrong: readonly string[];
}

const stepSettled = (step: number, attempt: number): Draft => ({
  type: 'step.settled',
  key: `a1-${step}-${attempt}`,
  body: {
    ...settled({ step, attempt, cost_micros: 7 * step + attempt }).body,
    text: 'said',
    tool_calls: [],
    error: null,
  },
});

/** `admin`: superuser's URL; `serviceUrl`: what the replicas of billing connect to. The first steps are in the rows when this returns. */
export async function billingWorld(admin: string, serviceUrl: string): Promise<BillingWorld> {
  await using starting = new AsyncDisposableStack();
  const nats = starting.use(await world());
  const [gateway, runner] = [await nats.log('gateway'), await nats.log('agent-runner')];
  const env = { LOOM_NATS_URL: nats.url, LOOM_NATS_PASSWORD: passwordOf('billing'), LOOM_PG_URL: serviceUrl };
  const health: number[] = [];
  for (let replica = 0; replica < replicas; replica += 1) {
    const running = await start(env);
    starting.defer(() => running.stop());
    health.push(running.port);
  }
  const addresses = Array.from({ length: jobs }, () => job());
  for (const at of addresses) await gateway.append(at, submitted());
  const load = loadOf(runner, addresses);
  starting.defer(() => load.stop());
  await withClient(admin, (client) => grown(client, 20));
  const owned = starting.move();
  return {
    health,
    natsUrl: nats.url,
    operator: () => nats.log('operator'),
    async settle() {
      await load.stop();
      const rows = await rowsOnce(admin, load.acknowledged());
      const rebuilt = await rebuild(admin, await nats.log('operator'));
      return { rows: rows.length, attempts: load.acknowledged(), wrong: differing(rows, rebuilt) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Load {
  acknowledged(): number;
  stop(): Promise<void>;
}

/** One writer a job: two attempts a step, about a hundred facts a second together. */
function loadOf(runner: Log, addresses: readonly Address[]): Load {
  let [going, acknowledged] = [true, 0];
  const write = async (at: Address): Promise<void> => {
    for (let n = 0; going; n += 1) {
      await runner.append(at, stepSettled(1 + Math.floor(n / 2), 1 + (n % 2)));
      acknowledged += 1;
      await sleep(40 + Math.random() * 40);
    }
  };
  const writers = Promise.all(addresses.map(write));
  return {
    acknowledged: () => acknowledged,
    async stop() {
      going = false;
      await writers;
    },
  };
}

function differing(rows: readonly object[], rebuilt: readonly object[]): string[] {
  const [live, again] = [rows, rebuilt].map((side) => side.map((row) => JSON.stringify(row)));
  const [known, wanted] = [new Set(live), new Set(again)];
  const extra = (live ?? []).filter((row) => !wanted.has(row)).map((row) => `live ${row}`);
  const missing = (again ?? []).filter((row) => !known.has(row)).map((row) => `rebuilt ${row}`);
  return [...extra, ...missing].toSorted().slice(0, 6);
}

/** As superuser, on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Attempts that the rows hold. */
export const counted = (client: pg.Client): Promise<number> =>
  client
    .query<{ sum: string | null }>('select sum(attempts) from billing.usage')
    .then(({ rows }) => Number(rows[0]?.sum ?? 0));

/** Waits until the rows hold more attempts than that. @throws after a minute */
export async function grown(client: pg.Client, before: number): Promise<void> {
  for (const end = Date.now() + 60_000; (await counted(client)) <= before; await sleep(10)) {
    if (Date.now() > end) throw new Error('the projection did not go on');
  }
}

const allRows = async (client: pg.Client, schema: string): Promise<object[]> =>
  (await client.query<object>(`select * from ${schema}.usage order by tenant, job, kind, key`)).rows;

/** All rows once they hold so many attempts. @throws after a minute, or when they hold more */
async function rowsOnce(admin: string, attempts: number): Promise<object[]> {
  return withClient(admin, async (client) => {
    for (const end = Date.now() + 60_000; ; await sleep(50)) {
      const count = await counted(client);
      if (count === attempts) return allRows(client, 'billing');
      if (count > attempts || Date.now() > end)
        throw new Error(`${count} attempts in the rows, ${attempts} in the log`);
    }
  });
}

/** The same view filled from the log's beginning in a schema beside. */
async function rebuild(admin: string, log: Log): Promise<object[]> {
  const tables = ['usage', 'engagement_of', 'checkpoint'];
  const copies = tables.map((table) => `create table rebuilt.${table} (like billing.${table} including all)`);
  const pool = openPool(admin, 'rebuild');
  try {
    await pool.query(['create schema rebuilt', ...copies].join('; '));
    for (const stream of log.streams) {
      const at = { projection: usageView.name, stream, incarnation: log.incarnation(stream) };
      for await (const fact of log.tail(stream))
        await applyBatch(pool, { ...usageView, schema: 'rebuilt' }, at, [fact]);
    }
  } finally {
    await pool.end();
  }
  return withClient(admin, (client) => allRows(client, 'rebuilt'));
}
