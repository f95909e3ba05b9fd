import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '@loom/billing';
import type { Address, Draft, Log } from '@loom/log';
import { asTenant, openPool } from '@loom/projection';
import { inSpan, telemetry, traceparent } from '@loom/service';
import { postgresDatabase } from '@loom/test';
import type { Database } from '@loom/test';
import { otlpReceiver } from '../../../../test/emulators/otlp.ts';
import { job, passwordOf, submitted, world } from '../../../../packages/log/test/world.ts';
import type { World } from '../../../../packages/log/test/world.ts';
import { settled as settledItem } from '../build.ts';

let database: Database;
let nats: World;
let gateway: Log;
let runner: Log;
let url: string;
let pool: ReturnType<typeof openPool>;

test.before(async () => {
  database = await postgresDatabase();
  url = await database.migrate('billing');
  pool = openPool(url, 'test');
  nats = await world();
  gateway = await nats.log('gateway');
  runner = await nats.log('agent-runner');
});
test.after(async () => {
  await pool.end();
  await nats[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** A submitted job: who submits makes its key. */
async function newJob(): Promise<Address> {
  const at = job();
  await gateway.append(at, submitted());
  return at;
}

const env = () => ({ LOOM_NATS_URL: nats.url, LOOM_NATS_PASSWORD: passwordOf('billing'), LOOM_PG_URL: url });

const settled = (step: number, attempt: number): Draft => ({
  type: 'step.settled',
  key: `a1-${step}-${attempt}`,
  body: { ...settledItem({ step, attempt }).body, text: 'said', tool_calls: [], error: null },
});

/** Rows of a job once there are `count` facts in them. */
async function rowsOnce(job: string, attempts: number) {
  for (;;) {
    const rows = await asTenant(pool, 'billing', 'tacme', (tx) =>
      tx.query<{ key: string; attempts: number }>('select key, attempts from usage where job = $1 order by key', [job]),
    );
    if (rows.reduce((sum, row) => sum + row.attempts, 0) >= attempts) return rows.map((row) => [row.key, row.attempts]);
    await sleep(20);
  }
}

test('usage follows the log, and a service that was stopped goes on where it was', async () => {
  const at = await newJob();
  const first = await start(env());
  await runner.append(at, settled(1, 1));
  await runner.append(at, settled(1, 2));
  assert.equal(await rowsOnce(at.stream, 2), [['a1-1', 2]]);
  const ready = await fetch(`http://127.0.0.1:${first.port}/readyz`);
  assert.is(ready.status, 200);
  await first.stop();
  await runner.append(at, settled(2, 1));
  const second = await start(env());
  assert.equal(await rowsOnce(at.stream, 3), [
    ['a1-1', 2],
    ['a1-2', 1],
  ]);
  await second.stop();
});

test('two replicas and connections cut in the middle leave every step once', async () => {
  const [at, replicas] = [await newJob(), [await start(env()), await start(env())]];
  for (let step = 1; step <= 30; step += 1) {
    await runner.append(at, settled(step, 1));
    if (step % 10 === 0) await cut();
  }
  const rows = await rowsOnce(at.stream, 30);
  assert.is(rows.length, 30);
  assert.ok(rows.every(([, attempts]) => attempts === 1));
  await Promise.all(replicas.map((replica) => replica.stop()));
});

/** Kills every connection that the service has. */
const cut = async (): Promise<void> => {
  const admin = openPool(database.url, 'admin');
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'loom-billing' and datname = current_database()",
  );
  await admin.end();
};

test('the rows of a job are in the job’s own trace', async () => {
  await using receiver = await otlpReceiver();
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
  const tracing = await telemetry('agent-runner', endpoint);
  const service = await start({ ...env(), ...endpoint });
  const at = await newJob();
  await inSpan('agent-runner step', '', { 'loom.job': at.stream }, () =>
    runner.append(at, settled(1, 1), { traceparent: traceparent() }),
  );
  await rowsOnce(at.stream, 1);
  await service.stop();
  await tracing.stop();
  const step = receiver.spans.find(
    (span) => span.scope === 'agent-runner' && span.attributes['loom.job'] === at.stream,
  );
  const row = receiver.spans.find(
    (span) => span.name === 'billing project usage' && span.attributes['loom.job'] === at.stream,
  );
  assert.ok(step !== undefined && row !== undefined);
  assert.is(row?.trace, step?.trace);
});

test.run();
