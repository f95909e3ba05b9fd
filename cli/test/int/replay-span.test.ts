/** Spans of a real log served again: into a folder and into a scratch stream, killed and gone on with, equal to the log byte for byte. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readRaw, readSpan, type Gap, type Log, type RawFact, type Span } from '@loom/log';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failing, job, message, passwordOf, submitted, world, type World } from '../../../packages/log/test/world.ts';
import { copySpan, verifyCopies, type Target } from '../../src/span/copy.ts';
import { folderTarget, readFolder } from '../../src/span/folder.ts';
import { streamTarget } from '../../src/span/stream.ts';

const nightly = process.env['LOOM_NIGHTLY'] === '1';
const [jobs, messages] = nightly ? [100, 200] : [20, 40];
/** A process is killed when it has copied so many facts. */
const kills = nightly ? [80, 160, 1, 700, 30, 2500, 90] : [160];

interface Context {
  readonly own: AsyncDisposableStack;
  readonly nats: World;
  readonly log: Log;
  readonly dir: string;
  readonly span: Span;
  /** What the span holds, in its order. */
  readonly wanted: readonly RawFact[];
}

const test = suite<Context>('span');

test.before(async (context) => {
  const own = new AsyncDisposableStack();
  const nats = own.use(await world());
  const dir = await mkdtemp(join(tmpdir(), 'loom-span-'));
  own.defer(() => rm(dir, { recursive: true, force: true }));
  const [gateway, log] = [await nats.log('gateway'), await nats.log('operator')];
  await spoken(gateway, 2, 3);
  await sleep(5);
  const since = Date.now();
  await spoken(gateway, jobs, messages);
  const until = Date.now() + 1;
  await sleep(5);
  await spoken(gateway, 2, 3);
  const span = { since, until };
  Object.assign(context, { own, nats, log, dir, span, wanted: await within(log, span) });
});
test.after(({ own }) => own.disposeAsync());

async function spoken(gateway: Log, width: number, count: number): Promise<void> {
  const speak = async (_: unknown, i: number): Promise<void> => {
    const at = job(i % 2 === 0 ? 'tacme' : 'tother');
    await gateway.append(at, submitted());
    for (let n = 1; n < count; n += 1) await gateway.append(at, message(`m${n}`));
  };
  await Promise.all(Array.from({ length: width }, speak));
}

/** By sorting, not by merging. */
async function within(log: Log, { since, until, tenant }: Span): Promise<RawFact[]> {
  const all: RawFact[] = [];
  for (const stream of log.streams) all.push(...(await Array.fromAsync(readRaw(log, stream))));
  const own = all.filter(
    ({ time, subject }) => time >= since && time < until && (tenant === undefined || subject.includes(`.${tenant}.`)),
  );
  const rank = ({ stream }: RawFact): number => log.streams.indexOf(stream);
  return own.toSorted((a, b) => a.time - b.time || rank(a) - rank(b) || a.seq - b.seq);
}

/** All that a copy must have, byte for byte. */
const bytesOf = (facts: readonly RawFact[]): string[] =>
  facts.map(({ stream, seq, time, subject, headers, body }) => {
    const ours = headers.filter(([name]) => !name.startsWith('Nats-'));
    return JSON.stringify([stream, seq, time, subject, ours, Buffer.from(body).toString('base64')]);
  });

const scratch = ({ nats, log, span }: Context, name: string): Promise<Target> =>
  streamTarget({
    servers: nats.url,
    password: passwordOf('setup'),
    streams: log.streams.length,
    name,
    span,
    bounded: true,
  });

/** Runs the copy in a process that is killed once it has copied so much. */
async function killed({ nats, span }: Context, where: string, killAt: number): Promise<void> {
  const script = fileURLToPath(new URL('../support/copy-once.ts', import.meta.url));
  const args = [script, nats.url, where, ...[span.since, span.until, 400, killAt].map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.is(signal ?? code, 'SIGKILL');
}

const asFastAsItGoes = { rate: null, onProgress: () => undefined };

test('a stream that is filled by processes that are killed holds the span in its order, without gap or repeat', async (context) => {
  for (const killAt of kills) {
    await killed(context, 'stream:incident', killAt);
    await using target = await scratch(context, 'incident');
    const held = await Array.fromAsync(target.read());
    assert.ok(held.length > 0 && held.length < context.wanted.length, `${held.length} of ${context.wanted.length}`);
    assert.equal(bytesOf(held), bytesOf(context.wanted.slice(0, held.length)));
  }
  await using target = await scratch(context, 'incident');
  const { copied, facts } = await copySpan(context.log, context.span, target, asFastAsItGoes);
  assert.ok(copied < facts);
  assert.equal(bytesOf(await Array.fromAsync(target.read())), bytesOf(context.wanted));
  assert.is(await verifyCopies(target.read()), context.wanted.length);
});

test('so does a folder', async (context) => {
  const dir = join(context.dir, 'killed');
  for (const killAt of kills) await killed(context, dir, killAt);
  await using target = await folderTarget(dir, context.span);
  await copySpan(context.log, context.span, target, asFastAsItGoes);
  assert.equal(bytesOf(await Array.fromAsync(readFolder(dir))), bytesOf(context.wanted));
  assert.is(await verifyCopies(readFolder(dir)), context.wanted.length);
});

test('a folder goes on after the parts that it names, whatever else lies there', async ({ dir, log, span, wanted }) => {
  const own = join(dir, 'parts');
  const half = Math.floor(wanted.length / 2);
  await using begun = await folderTarget(own, span);
  await begun.take(wanted.slice(0, half), []);
  await begun.positions();
  await writeFile(join(own, 'part-000002.avro'), 'half a part');
  await using target = await folderTarget(own, span);
  const { copied, facts } = await copySpan(log, span, target, asFastAsItGoes);
  assert.equal([copied, facts], [wanted.length - half, wanted.length]);
  assert.equal(bytesOf(await Array.fromAsync(target.read())), bytesOf(wanted));
});

test('a tenant alone, and a rate that is kept', async ({ dir, log, span: { since, until } }) => {
  const span = { since, until, tenant: 'tother' };
  await using target = await folderTarget(join(dir, 'tenant'), span);
  const begun = performance.now();
  const { facts } = await copySpan(log, span, target, { rate: 1000, onProgress: () => undefined });
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(bytesOf(await Array.fromAsync(target.read())), bytesOf(await within(log, span)));
  assert.is(facts, (jobs * messages) / 2);
  assert.ok(seconds > (facts - 200) / 1000, `${facts} facts in ${seconds} s`);
});

test('a copy that was touched is named, and one that is missing in its order', async ({ dir, log, span, wanted }) => {
  await using target = await folderTarget(join(dir, 'touched'), span);
  await copySpan(log, span, target, asFastAsItGoes);
  const touched = async function* (how: (fact: RawFact, i: number) => RawFact): AsyncGenerator<RawFact> {
    let i = 0;
    for await (const fact of target.read()) yield how(fact, i++);
  };
  const { stream, seq } = wanted[7]!;
  const why = (copies: AsyncIterable<RawFact>): Promise<string> =>
    verifyCopies(copies).then(
      () => '',
      (cause: Error) => cause.message,
    );
  const flip = (fact: RawFact, i: number): RawFact =>
    i === 7 ? { ...fact, body: fact.body.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) } : fact;
  assert.is(await why(touched(flip)), `the copy of ${stream} ${seq} does not have its sum`);
  assert.match(await why(touched((fact, i) => (i === 8 ? wanted[7]! : fact))), 'does not lie behind');
});

test("a name that is Loom's own, a stream of others and another span are refused", async (context) => {
  for (const name of ['LOOM_EVENTS_0_0', 'loom_x', 'KV_loom_keys', 'OBJ_loom_blobs', 'a.b', '', '>'])
    assert.is(await failing(scratch(context, name)), 'bad_request', name);
  await using mine = await scratch(context, 'mine');
  assert.is((await mine.positions()).size, 0);
  const other = { ...context, span: { ...context.span, since: context.span.since + 1 } };
  assert.is(await failing(scratch(other, 'mine')), 'bad_request');
  const elsewhere = await folderTarget(join(context.dir, 'killed'), other.span).catch(
    (cause: { exit: number }) => cause,
  );
  assert.is((elsewhere as { exit: number }).exit, 2);
});

test('what was purged is named, before the span, in it and at its end', async ({ nats, log, span, wanted }) => {
  const retention = await nats.log('retention');
  const { stream } = wanted[0]!;
  const facts = wanted.filter((fact) => fact.stream === stream);
  const victims = new Set([facts[0]!, facts.at(-1)!].map(({ subject }) => subject.split('.').slice(0, 5).join('.')));
  const gone = new Set<number>();
  for await (const { seq, subject } of readRaw(log, stream))
    if (victims.has(subject.split('.').slice(0, 5).join('.'))) gone.add(seq);
  for (const prefix of victims) {
    const answer = await retention.connection.request(
      `$JS.API.STREAM.PURGE.${stream}`,
      JSON.stringify({ filter: `${prefix}.>` }),
    );
    assert.ok(answer.json<{ success?: boolean }>().success);
  }
  const gaps: Gap[] = [];
  const left = await Array.fromAsync(readSpan(log, span, new Map(), (gap) => gaps.push(gap)));
  assert.equal(bytesOf(left), bytesOf(wanted.filter((fact) => fact.stream !== stream || !gone.has(fact.seq))));
  const named = gaps.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  assert.ok(gaps.every((gap) => gap.stream === stream));
  assert.equal(
    named,
    [...gone].toSorted((a, b) => a - b),
  );
});

test.run();
