/**
 * Power cuts under load. What is possible on a machine without device-mapper: the log's disk is ext4 on a loop device on a FUSE file whose unflushed
 * writes are in the memory of one process (support/disk.ts). A cut kills nats-server, then that process: what the page cache had not written, and
 * what the device had not flushed, is gone; every second cut keeps a random part of the latter, in no order. So both caches are tried, and with
 * them ext4's journal and barriers. Not tried: a disk that lies about a flush, or tears a page of 4 KiB.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, ClearFact, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { job, submitted } from '../../../packages/log/test/world.ts';
import { start as startRunner } from '../../../services/agent-runner/src/index.ts';
import { start as startOrchestrator } from '../../../services/orchestrator/src/index.ts';
import { diskCase } from '../../support/disk.ts';
import { insist, load, lostOf, wholeLog, type Ledger, type Load } from '../load.ts';
import { randomOf } from '../random.ts';
import { powerWorld } from '../world.ts';

const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 100 : 20;
const width = 16;
const seed = Number(process.env['LOOM_SEED'] ?? Math.floor(Math.random() * 1_000_000));

const withDisk = await diskCase();

withDisk(`${rounds} power cuts with sync_interval always lose no acknowledged fact, and double none`, async () => {
  await using world = await powerWorld('always');
  await using own = new AsyncDisposableStack();
  const operator = await world.log('operator');
  const limits = { LOOM_SWEEP_MS: '1000', LOOM_STEP_DEADLINE_MS: '10000' };
  const orchestrator = await startOrchestrator({ ...world.environment('orchestrator'), ...limits });
  own.defer(() => orchestrator.stop());
  const runner = await startRunner(world.environment('agent-runner'));
  own.defer(() => runner.stop());
  const ledger: Ledger = new Map();
  const jobs: Address[] = [];
  const [loads, submissions]: [Load[], Promise<unknown>[]] = [[], []];
  const random = randomOf(seed);
  let unflushed = 0;
  for (let round = 1; round <= rounds; round += 1) {
    // Of its own each round: what is asked of a connection without a server waits 2.5 s before it is asked again.
    const gateway = await world.log('gateway');
    const writers = load(gateway, round, width, ledger);
    const at = job();
    jobs.push(at);
    submissions.push(insist(gateway, at, submitted('What is the capital of France?')));
    await grown(ledger, ledger.size + 50 + Math.floor(random() * 200));
    unflushed += await world.cut(round % 2 === 0 ? seed + round : 0);
    loads.push(writers);
    void writers.stop();
    await world.boot();
  }
  await Promise.all([...loads.map((one) => one.stop()), ...submissions]);
  await allEnded(operator, jobs);
  const facts = await wholeLog(operator);
  console.log(
    `seed ${seed}: ${rounds} cuts, ${ledger.size} acknowledged, ${unflushed} unflushed pages at the cuts, ${jobs.length} jobs`,
  );

  assert.equal(lostOf(ledger, facts), [], `seed ${seed}`);
  nothingTwice(facts);
  for (const at of jobs) decidedOnce(facts.filter(({ stream }) => stream === at.stream));
});

withDisk('the control: with the default sync interval a power cut loses acknowledged facts', async () => {
  await using world = await powerWorld('default');
  const gateway = await world.log('gateway');
  const ledger: Ledger = new Map();
  await load(gateway, 0, 1, ledger).stop();
  await world.settle();
  const writers = load(gateway, 1, width, ledger);
  await grown(ledger, 500);
  await world.cut(0);
  const acknowledged: Ledger = new Map(ledger);
  const stopped = writers.stop();
  await world.boot();
  await stopped;
  const lost = lostOf(acknowledged, await wholeLog(await world.log('operator')));
  console.log(`control: ${lost.length} of ${acknowledged.size} acknowledged facts lost`);
  assert.ok(lost.length > 0);
});

/** Waits until so much is acknowledged. */
async function grown(ledger: Ledger, size: number): Promise<void> {
  for (const end = Date.now() + 60_000; ledger.size < size; await sleep(2)) {
    if (Date.now() > end) throw new Error(`seed ${seed}: the log takes no appends`);
  }
}

/** Waits until each of the jobs has its last fact. */
async function allEnded(log: Log, jobs: readonly Address[]): Promise<void> {
  const open = new Set(jobs);
  for (const end = Date.now() + 90_000; open.size > 0; await sleep(200)) {
    for (const at of open) if (await hasEnded(log, at)) open.delete(at);
    if (Date.now() > end) throw new Error(`seed ${seed}: ${open.size} jobs did not end`);
  }
}

/** False as well while the log that came back answers no read. */
async function hasEnded(log: Log, at: Address): Promise<boolean> {
  try {
    for await (const { items } of log.readClear(at)) if (items.some(({ type }) => isEnd(type))) return true;
  } catch (cause) {
    if (LoomError.from(cause).code !== 'log_unavailable') throw cause;
  }
  return false;
}

const isEnd = (type: string): boolean => /^job\.(completed|failed|cancelled|refused)$/.test(type);

function nothingTwice(facts: readonly ClearFact[]): void {
  const subjects = facts.map(({ tenant, stream, source, type, key }) => [tenant, stream, source, type, key].join('/'));
  assert.is(new Set(subjects).size, subjects.length, 'no fact is there twice');
  assert.not(
    facts.some(({ type }) => type === 'message.parked'),
    'nothing was parked',
  );
}

/** One end, and one outcome for every step that was asked. */
function decidedOnce(facts: readonly ClearFact[]): void {
  const items = facts.flatMap((fact) => fact.items);
  const keysOf = (type: string): string[] => items.filter((item) => item.type === type).map(({ key }) => key);
  assert.is(items.filter(({ type }) => isEnd(type)).length, 1);
  assert.is(keysOf('job.accepted').length, 1);
  assert.equal(keysOf('step.settled').toSorted(), keysOf('step.requested').toSorted());
}

test.run();
