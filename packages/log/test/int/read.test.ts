import { patient } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prefixOf, streamOf, subjectOf } from '../../src/index.ts';
import type { Log } from '../../src/index.ts';
import { all, epoch, failing, fence, job, message, run, submitted, tool, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
}
const test = suite<Context>('read');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

test('what is read is what was written, with its heads', async ({ gateway, orchestrator }) => {
  const at = job();
  await gateway.append(at, submitted('Grüße, 世界'), {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  const decided = await orchestrator.decide(at, [epoch('1'), run('a1-1-0-1')], fence(1, 0), { decider: 'v1' });
  const [first, second] = await all(orchestrator.read(at));
  assert.is(first!.traceparent, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  assert.is(first!.items[0]!.type === 'job.submitted' && first!.items[0]!.body.brief, 'Grüße, 世界');
  assert.equal(
    [second!.source, second!.writer, second!.basis, second!.type],
    ['orchestrator', 'orchestrator', 1, 'decision.made'],
  );
  assert.equal(
    (await all(orchestrator.read(at, { after: first!.seq }))).map(({ seq }) => seq),
    [decided!.seq],
  );
  assert.equal(
    (await all(orchestrator.read(at, { upto: first!.seq }))).map(({ seq }) => seq),
    [first!.seq],
  );
  assert.equal(await gateway.get(at, 'gateway', 'job.submitted', '0'), first);
  assert.is(await gateway.get(at, 'gateway', 'job.submitted', '1'), null);
});

test('clear facts hold what is clear and nothing else', async ({ gateway }) => {
  const at = job();
  await gateway.append(at, submitted('canary-brief'));
  const [fact] = await all(gateway.readClear(at));
  const text = JSON.stringify(fact);
  assert.ok(text.includes('user_1') && !text.includes('canary') && !text.includes('192.0.2.7'));
});

test('a field of 300 KB lies in the object store and comes back whole', async ({
  gateway,
  orchestrator,
  world: own,
}) => {
  const at = job();
  const brief = 'canary-big '.repeat(28_000);
  await gateway.append(at, submitted(brief));
  const many = [run('a1-1-0-1', 'x'.repeat(300_000)), run('a1-1-1-1', 'y'.repeat(3000)), epoch('1')];
  const decided = await orchestrator.decide(at, many, fence(1, 0));
  const [first, second] = await all(gateway.read(at));
  assert.is(first!.items[0]!.type === 'job.submitted' && first!.items[0]!.body.brief, brief);
  assert.equal(
    second!.items.map((item) => (item.type === 'run.requested' ? item.body.args.length : 0)),
    [300_000, 3000, 0],
  );
  assert.ok((await orchestrator.dispatch(at, { seq: decided!.seq, type: 'run.requested', key: 'a1-1-0-1' })).won);
  const sizes = await storedSizes(gateway, at);
  assert.ok(
    sizes.every((size) => size < 66_000),
    sizes.join(' '),
  );
  await sleep(50);
  for (const file of await files(own.storeDir)) assert.ok(!(await readFile(file)).includes('canary-big'), file);
});

async function storedSizes(log: Log, at: { tenant: string; stream: string }): Promise<number[]> {
  const place = subjectOf(at, 'gateway', 'job.submitted', '0');
  const reply = await log.connection.request(`$JS.API.DIRECT.GET.${streamOf(at, 4)}.${place}`, '', patient);
  return [reply.data.length];
}

const files = async (dir: string): Promise<string[]> =>
  (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));

test('a fact whose header, subject or body was changed is found out, where it is', async ({ gateway }) => {
  const changes: ((headers: Map<string, string>, body: Uint8Array) => void)[] = [
    (headers) => headers.set('ce-time', '2020-01-01T00:00:00.000Z'),
    (headers) => headers.delete('loom-basis'),
    (headers) => headers.set('loom-decision', '1'),
    (_, body) => void (body[body.length - 1]! ^= 1),
    () => undefined,
  ];
  for (const [i, change] of changes.entries()) {
    const [at, elsewhere] = [job(), job()];
    await gateway.append(at, message('m1'));
    const stored = await gateway.connection.request(
      `$JS.API.DIRECT.GET.${streamOf(at, 4)}.${subjectOf(at, 'gateway', 'message.posted', 'm1')}`,
      '',
      patient,
    );
    const pairs = [...stored.headers!]
      .filter(([name]) => !name.startsWith('Nats-'))
      .map(([name, [value]]) => [name, value!] as const);
    const headers = new Map<string, string>(pairs);
    const body = Uint8Array.from(stored.data);
    change(headers, body);
    await forge(gateway, subjectOf(elsewhere, 'gateway', 'message.posted', 'm1'), headers, body);
    assert.is(await failing(all(gateway.readClear(elsewhere))), 'damaged', `change ${i}`);
  }
});

async function forge(log: Log, subject: string, headers: Map<string, string>, body: Uint8Array): Promise<void> {
  const { headers: make } = await import('@nats-io/nats-core');
  const all = make();
  for (const [name, value] of headers) all.set(name, value);
  await log.connection.request(subject, body, { headers: all, ...patient });
}

test('more than a batch of facts is read in order without a gap', async ({ orchestrator }) => {
  const at = job();
  await Promise.all(Array.from({ length: 1200 }, (_, i) => orchestrator.append(at, epoch(`n${i}`))));
  const seqs = (await all(orchestrator.readClear(at))).map(({ seq }) => seq);
  assert.is(seqs.length, 1200);
  assert.equal(
    seqs,
    seqs.toSorted((a, b) => a - b),
  );
});

test('a scan finds the jobs of a kind of fact once each', async ({ orchestrator, gateway }) => {
  const before = await gateway.scan('gateway', 'job.submitted');
  const jobs = [job(), job(), job()];
  for (const at of jobs) await gateway.append(at, submitted());
  const { found, cursor } = await orchestrator.scan('gateway', 'job.submitted', before.cursor);
  assert.equal(found.map(({ stream }) => stream).toSorted(), jobs.map(({ stream }) => stream).toSorted());
  assert.equal((await gateway.scan('gateway', 'job.submitted', cursor)).found, []);
});

test('facts of one kind alone are read in order, from where it was asked and up to there', async ({ orchestrator }) => {
  const at = job();
  for (const key of ['a', 'b', 'c', 'd']) {
    await orchestrator.append(at, epoch(key));
    await orchestrator.append(at, tool(`a1-1-0-${key}`));
  }
  const only = { source: 'orchestrator', type: 'epoch.raised' } as const;
  const found = await all(orchestrator.readClear(at, { only }));
  assert.equal(
    found.map(({ key }) => key),
    ['a', 'b', 'c', 'd'],
  );
  const between = { only, after: found[0]!.seq, upto: found[2]!.seq };
  assert.equal(
    (await all(orchestrator.readClear(at, between))).map(({ key }) => key),
    ['b', 'c'],
  );
});

test('the last fact of a kind is found whatever its key, and that of another job is not', async ({ orchestrator }) => {
  const [at, other] = [job(), job()];
  assert.is(await orchestrator.getLastClear(at, 'orchestrator', 'epoch.raised'), null);
  for (const key of ['9', '1', '5']) await orchestrator.append(at, epoch(key));
  await orchestrator.append(other, epoch('7'));
  await orchestrator.append(at, tool('a1-1-0-1'));
  assert.is((await orchestrator.getLastClear(at, 'orchestrator', 'epoch.raised'))?.key, '5');
});

test('nothing of a job lies outside its prefix', async ({ gateway }) => {
  const at = job();
  await gateway.append(at, submitted());
  assert.match(prefixOf(at), new RegExp(`^loom\\.0\\.\\d+\\.tacme\\.${at.stream}$`));
});

test.run();
