import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { natsBlobs } from '@loom/blobs';
import type { Blob, Blobs } from '@loom/blobs';
import type { Address, ClearFact, Log } from '@loom/log';
import { applyBatch, openPool } from '@loom/projection';
import { LoomError } from '@loom/service';
import { postgresDatabase } from '@loom/test';
import type { Database } from '@loom/test';
import { all, job, passwordOf, submitted, world } from '../../../../packages/log/test/world.ts';
import type { World } from '../../../../packages/log/test/world.ts';
import { start } from '@loom/retention';
import { sweepArtifacts } from '../../src/consumers/sweep.ts';
import { artifactView } from '../../src/views/artifacts.ts';

const day = 86_400_000;

let database: Database;
let log: World;
let retention: Log;
let blobs: Blobs;
let pool: ReturnType<typeof openPool>;
let url: string;
let seq = 0;

test.before(async () => {
  database = await postgresDatabase();
  url = await database.migrate('retention');
  pool = openPool(url, 'retention');
  log = await world();
  retention = await log.log('retention');
  blobs = await natsBlobs({ connection: retention.connection });
});
test.after(async () => {
  await pool.end();
  await log[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** As the log hands it over: an artifact of a decision, written at `time`. */
function written(at: Address, key: string, object: string, time: number): ClearFact {
  const head = {
    source: 'orchestrator',
    id: '',
    writer: 'orchestrator',
    basis: 0,
    decision: null,
    sum: '',
    traceparent: '',
    said: null,
  } as const;
  const item = {
    type: 'artifact.written',
    key,
    id: '1.0',
    body: { agent: 'a1', call: 'a1-1-0-1', size: 3, object },
  } as const;
  return { ...head, ...at, key, seq: ++seq, time, type: 'artifact.written', items: [item] };
}

const project = (...facts: readonly ClearFact[]) =>
  applyBatch(pool, artifactView, { projection: 'artifact', stream: 'LOOM_EVENTS_0_0', incarnation: '0' }, facts);

const put = (at: Address): Promise<Blob> =>
  blobs.put({ tenant: at.tenant, job: at.stream }, Buffer.from(`report ${Math.random()}`));

const parts = (days = 90) => ({ pool, log: retention, blobs, days });

const stillThere = (blob: Blob): Promise<boolean> =>
  blobs.get(blob.object, blob.dataKey).then(
    () => true,
    (cause: unknown) => {
      assert.is(LoomError.from(cause).code, 'blob_missing');
      return false;
    },
  );

const expiredIn = async (at: Address): Promise<string[]> =>
  (await all(retention.readClear(at))).flatMap((fact) =>
    fact.items.flatMap((item) => (item.type === 'artifact.expired' ? [item.body.artifact] : [])),
  );

test('an artifact stays until its ninety days are over and is erased and recorded right after', async () => {
  const [at, time] = [job(), Date.UTC(2026, 0, 1)];
  const blob = await put(at);
  await project(written(at, 'k1', blob.object, time));
  assert.is(await sweepArtifacts(parts(), time + 90 * day - 1_000), 0);
  assert.is(await stillThere(blob), true);
  assert.is(await sweepArtifacts(parts(), time + 90 * day + 1_000), 1);
  assert.is(await stillThere(blob), false);
  assert.equal(await expiredIn(at), ['k1']);
});

test('sweeps that are repeated, or run beside each other, or died after the erasure, record each expiry once', async () => {
  const [at, time] = [job(), Date.UTC(2025, 0, 1)];
  const blob = await put(at);
  await project(written(at, 'k1', blob.object, time));
  const dies = { ...parts(), log: { append: () => Promise.reject(new LoomError('log_unavailable')) } };
  const failure = await sweepArtifacts(dies, time + 91 * day).catch((cause: unknown) => LoomError.from(cause).code);
  assert.is(failure, 'log_unavailable');
  assert.is(await stillThere(blob), false);
  await Promise.all([1, 2, 3].map(() => sweepArtifacts(parts(), time + 91 * day)));
  assert.equal(await expiredIn(at), ['k1']);
});

test('once the projection has seen the expiry, it is not due any more', async () => {
  const now = Date.UTC(2026, 6, 1);
  await sweepArtifacts(parts(), now);
  const rows = await pool.query<{ tenant: string; job: string; key: string; object: string }>(
    'select * from retention.artifact where expired is null',
  );
  const seen = rows.rows.map(({ tenant, job: stream, key, object }): ClearFact => {
    const fact = written({ tenant, stream }, key, object, now);
    return {
      ...fact,
      source: 'retention',
      type: 'artifact.expired',
      items: [{ type: 'artifact.expired', key, id: '1.0', body: { artifact: key, object } }],
    };
  });
  assert.ok(seen.length > 0);
  await project(...seen);
  assert.is(await sweepArtifacts(parts(), now), 0);
});

test('a shorter setting holds, and an object that a younger artifact stands on is kept', async () => {
  const [at, time] = [job(), Date.UTC(2024, 0, 1)];
  const [lonely, shared] = [await put(at), await put(at)];
  await project(
    written(at, 'k1', lonely.object, time),
    written(at, 'k2', shared.object, time),
    written(at, 'k3', shared.object, time + day),
  );
  assert.is(await sweepArtifacts(parts(7), time + 7 * day - 1_000), 0);
  assert.is(await sweepArtifacts(parts(7), time + 7 * day + 1_000), 2);
  assert.equal([await stillThere(lonely), await stillThere(shared)], [false, true]);
  assert.is(await sweepArtifacts(parts(7), time + 8 * day + 1_000), 3);
  assert.is(await stillThere(shared), false);
  assert.equal((await expiredIn(at)).toSorted(), ['k1', 'k2', 'k3']);
});

test('the service fills its table from the log and sweeps by the clock it is given', async () => {
  const at = job();
  const [gateway, orchestrator] = [await log.log('gateway'), await log.log('orchestrator')];
  await gateway.append(at, submitted());
  const blob = await put(at);
  const body = {
    agent: 'a1',
    call: 'c',
    path: 'final/a.md',
    media_type: 'text/markdown',
    size: blob.size,
    sha256: blob.sha256,
    object: blob.object,
  };
  await orchestrator.append(at, { type: 'artifact.written', key: 'k1', body: { ...body, data_key: blob.dataKey } });
  const env = { LOOM_NATS_URL: log.url, LOOM_NATS_PASSWORD: passwordOf('retention'), LOOM_PG_URL: url };
  const today = await start(env);
  const rows = () => pool.query('select 1 from retention.artifact where job = $1', [at.stream]);
  while ((await rows()).rowCount === 0) await sleep(20);
  await today.stop();
  assert.is(await stillThere(blob), true);
  const later = await start(env, () => Date.now() + 91 * day);
  while ((await expiredIn(at)).length === 0) await sleep(20);
  await later.stop();
  assert.is(await stillThere(blob), false);
});

test.run();
