/** Jobs of one stream that are read together, by somebody who works on much of it or on little. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { streamOf } from '../../src/index.ts';
import type { Address, Fact, Log } from '../../src/index.ts';
import { all, countReads, job, message, submitted, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  gateway: Log;
}
const test = suite<Context>('shared');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

function neighbours(count: number, log: Log): Address[] {
  const jobs: Address[] = [];
  while (jobs.length < count) {
    const at = job();
    if (streamOf(at, log.streams.length) === log.streams[0]) jobs.push(at);
  }
  return jobs;
}

/** Who folds jobs: what was read of each, in order. */
class Reader {
  readonly facts = new Map<Address, Fact[]>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Until `seq` is among what was read, as a fold reads. */
  async reach(at: Address, seq: number): Promise<void> {
    const known = this.facts.get(at) ?? [];
    this.facts.set(at, known);
    for (let tries = 0; (known.at(-1)?.seq ?? 0) < seq; tries++) {
      assert.ok(tries < 3, `fact ${seq} was not read`);
      for await (const fact of this.#log.readShared(at, { after: known.at(-1)?.seq ?? 0, atLeast: seq }))
        known.push(fact);
    }
  }

  async matches(at: Address): Promise<void> {
    assert.equal(this.facts.get(at), await all(this.#log.read(at)));
  }
}

/** One more fact for each of these jobs. */
const tell = (log: Log, jobs: readonly Address[], round: number): Promise<number[]> =>
  Promise.all(jobs.map(async (at) => (await log.append(at, message(`m${round}`, `${at.stream} ${round}`))).seq));

test('twenty jobs of a stream that are read at the same moment are one read, and each gets what is its own, once and in order', async ({
  gateway,
}) => {
  const jobs = neighbours(20, gateway);
  const reader = new Reader(gateway);
  for (const at of jobs) await gateway.append(at, submitted());
  const asked = countReads(gateway);
  const reads: number[] = [];
  for (let round = 0; round < 6; round++) {
    const seqs = await tell(gateway, jobs, round);
    const before = asked();
    await Promise.all(jobs.map((at, i) => reader.reach(at, seqs[i]!)));
    reads.push(asked() - before);
  }
  assert.ok(reads[0]! >= 20, 'at first everybody reads for themself');
  assert.equal(reads.slice(2), [1, 1, 1, 1]);
  for (const at of jobs) await reader.matches(at);
});

test('jobs read now and then, by several readers at once, lose nothing and get nothing twice', async ({ gateway }) => {
  const jobs = neighbours(12, gateway);
  const readers = [new Reader(gateway), new Reader(gateway)];
  for (const at of jobs) await gateway.append(at, submitted());
  for (let round = 0; round < 40; round++) {
    const some = jobs.filter((_, i) => (i * 7 + round * 5) % (2 + (round % 4)) === 0);
    const seqs = await tell(gateway, some, round);
    const reader = readers[round % 2]!;
    const late = tell(gateway, jobs.slice(0, 3), 1000 + round);
    await Promise.all(some.map((at, i) => reader.reach(at, seqs[i]!)));
    await late;
  }
  const ends = await tell(gateway, jobs, 5000);
  for (const reader of readers) {
    await Promise.all(jobs.map((at, i) => reader.reach(at, ends[i]!)));
    for (const at of jobs) await reader.matches(at);
  }
});

test('who works on one job of a busy stream soon reads that job alone', async ({ gateway }) => {
  const [own, ...others] = neighbours(31, gateway) as [Address, ...Address[]];
  const reader = new Reader(gateway);
  await gateway.append(own, submitted());
  const came: number[] = [];
  for (let round = 0; round < 12; round++) {
    await tell(gateway, others, round);
    const [seq = 0] = await tell(gateway, [own], round);
    const before = gateway.connection.stats().inMsgs;
    await reader.reach(own, seq);
    came.push(gateway.connection.stats().inMsgs - before);
  }
  assert.ok(
    came.slice(8).every((messages) => messages <= 3),
    `messages read for one fact: ${came.join(', ')}`,
  );
  await reader.matches(own);
});

test('a stream that ran ahead by more than a page is left for reads of each job', async ({ gateway }) => {
  const jobs = neighbours(2, gateway);
  const reader = new Reader(gateway);
  const seqs = await Promise.all(jobs.map(async (at) => (await gateway.append(at, submitted())).seq));
  await Promise.all(jobs.map((at, i) => reader.reach(at, seqs[i]!)));
  for (let round = 0; round < 12; round++)
    await Promise.all(Array.from({ length: 100 }, (_, i) => tell(gateway, jobs.slice(0, 1), round * 100 + i)));
  const [at, seq] = [jobs[0]!, seqs[0]!];
  assert.is(
    (await all(gateway.readShared(at, { after: seq, atLeast: seq }))).length,
    1200,
    'to who knows of none of it',
  );
  const ends = await tell(gateway, jobs, 9999);
  await Promise.all(jobs.map((at, i) => reader.reach(at, ends[i]!)));
  for (const at of jobs) await reader.matches(at);
});

test('what was appended before a read began is in it', async ({ gateway }) => {
  const jobs = neighbours(6, gateway);
  const reader = new Reader(gateway);
  for (const at of jobs) await gateway.append(at, submitted());
  for (let round = 0; round < 30; round++) {
    const seqs = await tell(gateway, jobs, round);
    const [first = 0, ...rest] = seqs;
    const [begun, later] = [jobs.slice(0, 1), jobs.slice(1)];
    const under = reader.reach(begun[0]!, first);
    const [more = 0] = await tell(gateway, begun, 100 + round);
    await Promise.all([under, ...later.map((at, i) => reader.reach(at, rest[i]!))]);
    const facts: Fact[] = [];
    const known = reader.facts.get(begun[0]!)!;
    for await (const fact of gateway.readShared(begun[0]!, { after: known.at(-1)!.seq, atLeast: first }))
      facts.push(fact);
    known.push(...facts);
    assert.is(known.at(-1)!.seq, more, 'although nobody told of it');
  }
});

test.run();
