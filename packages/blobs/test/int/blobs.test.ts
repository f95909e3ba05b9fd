import { LoomError } from '@loom/service';
import { natsServer, patient } from '@loom/test';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Objm } from '@nats-io/obj';
import { connect } from '@nats-io/transport-node';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Blobs, blobBucketConfig, natsBlobs } from '../../src/index.ts';

const at = { tenant: 't1', job: 'job_0a' };
const stream = 'OBJ_loom_blobs';

/** A bucket on a server of its own, for as long as `use` takes. */
async function withBlobs(
  use: (blobs: Blobs, manager: JetStreamManager, connection: NatsConnection) => Promise<void>,
): Promise<void> {
  await using server = await natsServer();
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection, patient);
  await manager.streams.add(blobBucketConfig());
  await use(await natsBlobs({ connection }), manager, connection);
  await connection.close();
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (cause: unknown) => LoomError.from(cause).code,
  );
}

test('what was put comes back, from nothing to several chunks', () =>
  withBlobs(async (blobs) => {
    for (const size of [0, 1, 131_055, 131_056, 131_072, 131_073, 1_000_003]) {
      const content = randomBytes(size);
      const blob = await blobs.put(at, content);
      assert.is(blob.size, size);
      assert.is(blob.sha256, createHash('sha256').update(content).digest('hex'));
      assert.match(blob.object, /^t1\/job_0a\/[0-9a-f]{64}$/);
      assert.ok((await blobs.get(blob.object, blob.dataKey)).equals(content), `size ${size}`);
    }
  }));

test('50 MB come back', () =>
  withBlobs(async (blobs) => {
    const content = Buffer.alloc(50_000_000, randomBytes(1001));
    const blob = await blobs.put(at, content);
    assert.ok((await blobs.get(blob.object, blob.dataKey)).equals(content));
  }));

test('sealed bytes put twice are one object', () =>
  withBlobs(async (blobs, manager) => {
    const sealed = randomBytes(300_000);
    const names = [await blobs.putSealed(at, sealed), await blobs.putSealed(at, sealed)];
    assert.is(names[0], names[1]);
    assert.is((await manager.streams.info(stream)).state.messages, 4);
    assert.ok((await blobs.getSealed(names[0] ?? '')).equals(sealed));
  }));

test('two that put the same sealed bytes at once both succeed', () =>
  withBlobs(async (blobs) => {
    const sealed = randomBytes(300_000);
    const [one, two] = await Promise.all([blobs.putSealed(at, sealed), blobs.putSealed(at, sealed)]);
    assert.is(one, two);
    assert.ok((await blobs.getSealed(one)).equals(sealed));
  }));

test('the store of NATS itself can read an object', () =>
  withBlobs(async (blobs, manager) => {
    const sealed = randomBytes(300_000);
    const name = await blobs.putSealed(at, sealed);
    const store = await new Objm(manager.jetstream()).open('loom_blobs');
    assert.ok(Buffer.from((await store.getBlob(name)) ?? []).equals(sealed));
  }));

test('reading makes no consumer and leaves no subscription', () =>
  withBlobs(async (blobs, manager, connection) => {
    const blob = await blobs.put(at, randomBytes(1_000_000));
    const { subscriptions } = (connection as unknown as { protocol: { subscriptions: { size(): number } } }).protocol;
    const before = subscriptions.size();
    for (let i = 0; i < 5; i++) await blobs.get(blob.object, blob.dataKey);
    assert.is(subscriptions.size(), before);
    assert.is((await manager.streams.info(stream)).state.consumer_count, 0);
  }));

test('a damaged, lost or doubled chunk is found', () =>
  withBlobs(async (blobs, manager) => {
    const js = manager.jetstream();
    const lost = await blobs.put(at, randomBytes(300_000));
    const { seq, subject } = (await manager.streams.getMessage(stream, { seq: 2 })) ?? { seq: 0, subject: '' };
    await manager.streams.deleteMessage(stream, seq, true);
    assert.is(await codeOf(blobs.get(lost.object, lost.dataKey)), 'blob_damaged');
    await js.publish(subject, randomBytes(131_072));
    assert.is(await codeOf(blobs.get(lost.object, lost.dataKey)), 'blob_damaged');
    const other = await blobs.put({ tenant: 't1', job: 'job_0b' }, randomBytes(10));
    assert.is(await codeOf(blobs.get(other.object, randomBytes(32))), 'blob_damaged');
  }));

test('a blob of one job does not open under the name of another', () =>
  withBlobs(async (blobs, manager) => {
    const blob = await blobs.put(at, Buffer.from('secret'));
    const moved = blob.object.replace('job_0a', 'job_0b');
    const b64 = (name: string) => Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    const meta = await manager.streams.getMessage(stream, { last_by_subj: `$O.loom_blobs.M.${b64(blob.object)}` });
    await manager.jetstream().publish(`$O.loom_blobs.M.${b64(moved)}`, meta?.data ?? '');
    assert.is(await codeOf(blobs.get(moved, blob.dataKey)), 'blob_damaged');
  }));

test('what was never put, or was erased, is missing', () =>
  withBlobs(async (blobs, manager) => {
    const blob = await blobs.put(at, randomBytes(300_000));
    await blobs.erase(blob.object);
    await blobs.erase(blob.object);
    assert.is(await codeOf(blobs.get(blob.object, blob.dataKey)), 'blob_missing');
    assert.is(await codeOf(blobs.get('nothing', blob.dataKey)), 'blob_missing');
    assert.is((await manager.streams.info(stream)).state.messages, 0);
  }));

test.run();
