import { FOLD, foldJob, JobCache, packState, snapshotEvery, stateHash, wrongSnapshot } from '@loom/job';
import type { Address, Log } from '@loom/log';
import { patient } from '@loom/test';
import { openVault } from '@loom/vault';
import { headers } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { passwordOf, until, world } from '../../../log/test/world.ts';
import type { World } from '../../../log/test/world.ts';
import { cold, counting, found, keep, long, post } from '../long.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
}
const test = suite<Context>('snapshots');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
});
test.after(async (context) => {
  await context.world[Symbol.asyncDispose]();
});

test('after every 500 facts who decides keeps the state, and everybody who folds the job begins with it', async (context) => {
  const at = await long(context.gateway, snapshotEvery + 20);
  await new JobCache(context.orchestrator, { keeps: true }).at(at);
  await until(async () => (await found(context.gateway, at)) === 'found');
  await post(context.gateway, at, 7);
  const expected = await cold(context.gateway, at);
  for (const user of ['gateway', 'orchestrator', 'agent-runner', 'operator'] as const) {
    const log = counting(await context.world.log(user));
    assert.equal(await foldJob(log, at), expected, user);
    assert.is(log.facts(), 7, user);
    assert.equal(await new JobCache(log).at(at), expected, user);
    assert.is(log.facts(), 14, user);
  }
});

test('when a long job ends its last state is kept as well, and of a short one nothing', async (context) => {
  const { gateway, orchestrator } = context;
  const cache = new JobCache(orchestrator, { keeps: true });
  const ending = async (facts: number): Promise<Address> => {
    const at = await long(gateway, facts);
    await cache.at(at);
    // Kept before the last one is, or it might come to lie over it.
    if (facts >= snapshotEvery) await until(async () => (await found(gateway, at)) === 'found');
    await post(gateway, at, 5);
    await orchestrator.append(at, { type: 'job.failed', key: '0', body: { code: 'x', reason: 'x', spent_micros: 0 } });
    assert.is.not((await cache.at(at)).ended, null);
    return at;
  };
  const at = await ending(snapshotEvery);
  await until(async () => {
    const log = counting(gateway);
    await foldJob(log, at);
    return log.facts() === 0;
  });
  assert.equal(await foldJob(gateway, at), await cold(gateway, at));
  assert.is(await found(gateway, await ending(20)), 'none');
});

test('fewer facts leave no snapshot, and who may not keep one folds all the same', async (context) => {
  const at = await long(context.gateway, snapshotEvery - 1);
  await new JobCache(context.orchestrator, { keeps: true }).at(at);
  await post(context.gateway, at, 1);
  const state = await new JobCache(context.gateway, { keeps: true }).at(at);
  assert.equal(state, await cold(context.gateway, at));
  assert.is(await found(context.orchestrator, at), 'none');
});

test('a state that would not come back as it is, for a name in it, is not kept: it is folded', async ({
  gateway,
  orchestrator,
}) => {
  const at = await long(gateway, snapshotEvery);
  await post(gateway, at, 1, () => 'what is __proto__?');
  const state = await new JobCache(orchestrator, { keeps: true }).at(at);
  assert.throws(() => packState(state), /__proto__/);
  assert.is(await found(gateway, at), 'none');
  assert.equal(await foldJob(gateway, at), state);
});

test('a state of some earlier fact is folded from the first when the snapshot is of a later one', async ({
  gateway,
  orchestrator,
}) => {
  const at = await long(gateway, 30);
  const whole = await cold(gateway, at);
  await keep(orchestrator, whole);
  const upto = whole.messages[9]?.seq ?? 0;
  assert.is(await found(gateway, at, upto), 'later');
  assert.equal(await foldJob(gateway, at, upto), await cold(gateway, at, upto));
  assert.is(await found(gateway, at, whole.seq), 'found');
});

test('a snapshot of many messages comes in parts, and one of another fold, or one that is no state, is passed over', async ({
  gateway,
  orchestrator,
}) => {
  const at = await long(gateway, 3);
  await post(gateway, at, 60, () => randomBytes(30_000).toString('base64'));
  const state = await cold(gateway, at);
  assert.ok(packState(state).length > 2_000_000);
  await keep(orchestrator, state);
  const log = counting(gateway);
  assert.equal(await foldJob(log, at), state);
  assert.is(log.facts(), 0);
  await keep(orchestrator, await cold(gateway, at, state.messages[1]?.seq));
  assert.equal(await foldJob(gateway, at), state, 'fewer parts than before');
  await keep(orchestrator, state, 'f'.repeat(64));
  assert.is(await found(gateway, at), 'old');
  await orchestrator.snapshots.keep(at, { fold: FOLD, seq: state.seq, state: Buffer.from('no state') });
  assert.is(await found(gateway, at), 'found');
  assert.equal(await foldJob(gateway, at), state);
  const wrong = packState({ ...state, epoch: 7 });
  const right = packState(state);
  const mixed = Buffer.concat([right.subarray(0, 80), wrong.subarray(80)]);
  await orchestrator.snapshots.keep(at, { fold: FOLD, seq: state.seq, state: mixed });
  assert.is(stateHash(await foldJob(gateway, at)), stateHash(state));
});

test('one that says another thing than the facts up to it is named where a job is verified', async (context) => {
  const { gateway, orchestrator } = context;
  const at = await long(gateway, 8);
  assert.is(await wrongSnapshot(gateway, at), null);
  const state = await cold(gateway, at);
  await post(gateway, at, 3);
  await keep(orchestrator, state);
  assert.is(await wrongSnapshot(gateway, at), null);
  await keep(orchestrator, { ...state, epoch: 7 });
  assert.is(await wrongSnapshot(gateway, at), state.seq);
  assert.is(await wrongSnapshot(gateway, at, state.seq - 1), null, 'none that early');
});

/** The job's snapshot as it lies in the bucket, put there again with a change. */
async function tampered(
  log: Log,
  from: Address,
  to: Address,
  change: { bytes?: (bytes: Buffer) => Buffer; header?: readonly [string, string] } = {},
): Promise<void> {
  const { connection } = log;
  const query = JSON.stringify({ last_by_subj: `$KV.loom_snapshots.${from.tenant}.${from.stream}.0` });
  const stored = await connection.request('$JS.API.DIRECT.GET.KV_loom_snapshots', query, patient);
  const said = headers();
  for (const name of ['loom-fold', 'loom-incarnation', 'loom-basis', 'loom-sum', 'loom-parts'])
    said.set(name, stored.headers?.get(name) ?? '');
  if (change.header) said.set(...change.header);
  const bytes = Buffer.from(stored.data);
  const subject = `$KV.loom_snapshots.${to.tenant}.${to.stream}.0`;
  await connection.request(subject, change.bytes?.(bytes) ?? bytes, { ...patient, headers: said });
}

test('one that was altered, cut, moved to another job, or comes from another log is found out', async (context) => {
  const { gateway, orchestrator } = context;
  const at = await long(gateway, 12);
  const state = await cold(gateway, at);
  const flipped = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, i) => (i === 90 ? byte ^ 1 : byte)));
  const earlier = state.messages[3]?.seq ?? 0;
  const cases = [
    ['found', {}],
    ['shut', { bytes: flipped }],
    ['shut', { bytes: (bytes: Buffer) => bytes.subarray(0, -5) }],
    ['shut', { bytes: () => Buffer.alloc(0) }],
    ['foreign', { header: ['loom-incarnation', 'another life of the log'] }],
    ['foreign', { header: ['loom-sum', 'ab'] }],
    ['foreign', { header: ['loom-sum', ''] }],
    ['foreign', { header: ['loom-basis', String(earlier)] }],
    ['foreign', { header: ['loom-basis', '999999'] }],
    ['old', { header: ['loom-fold', ''] }],
  ] as const;
  for (const [answer, change] of cases) {
    await keep(orchestrator, state);
    await tampered(orchestrator, at, at, change);
    assert.is(await found(gateway, at), answer, JSON.stringify(change));
    assert.equal(await foldJob(gateway, at), state);
  }
  const other = await long(gateway, 5);
  await keep(orchestrator, state);
  await tampered(orchestrator, at, other);
  assert.is(await found(gateway, other), 'foreign');
  assert.equal(await foldJob(gateway, other), await cold(gateway, other));
});

test('retention removes it, nobody else can, and without the key it opens no more', async ({
  world: it,
  gateway,
  orchestrator,
}) => {
  const at = await long(gateway, 9);
  await keep(orchestrator, await cold(gateway, at));
  const refused = await orchestrator.snapshots.drop(at).then(
    () => 'done',
    (cause: { code: string }) => cause.code,
  );
  assert.is(refused, 'forbidden');
  const retention = await it.log('retention');
  const vault = await openVault({ connection: retention.connection, rootKeyFile: join(it.storeDir, '..', 'root.key') });
  await vault.destroy({ tenant: at.tenant, job: at.stream });
  assert.is(await found(await it.log('gateway'), at), 'shut');
  await retention.snapshots.drop(at);
  await retention.snapshots.drop(at);
  assert.is(await found(await it.log('gateway'), at), 'none');
});

test('when the bucket is lost, now and then in the middle of a fold, states are the same', async ({
  world: it,
  gateway,
  orchestrator,
}) => {
  const at = await long(gateway, snapshotEvery + 1);
  const cache = new JobCache(orchestrator, { keeps: true });
  await cache.at(at);
  await until(async () => (await found(gateway, at)) === 'found');
  await using setup = await connect({
    servers: it.url,
    user: 'setup',
    pass: passwordOf('setup'),
    inboxPrefix: '_INBOX_setup',
  });
  await setup.request('$JS.API.STREAM.DELETE.KV_loom_snapshots', '', patient);
  assert.is(await gateway.snapshots.find(at, FOLD), 'unreachable');
  await post(gateway, at, snapshotEvery + 3);
  const state = await cold(gateway, at);
  assert.equal(await cache.at(at), state);
  assert.equal(await new JobCache(gateway).at(at), state);
  assert.equal(await foldJob(gateway, at), state);
});

test.run();
