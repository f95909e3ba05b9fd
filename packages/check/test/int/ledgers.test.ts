/** Books kept outside of Loom, held against the log: what is paid is on record, what is on record was paid, and waste is counted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkLog } from '../../src/index.ts';
import type { EngineRun, PaidCall, Report, Waste } from '../../src/index.ts';
import { Play, wholeJob } from '../support/play.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';
import type { Log } from '@loom/log';

const test = suite<{ world: World; log: Log; job: string }>('ledgers');

test.before(async (context) => {
  context.world = await world();
  const play = await Play.on(context.world);
  await wholeJob(play);
  context.job = play.at.stream;
  context.log = await context.world.log('operator');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

const asked = { model: 'm' };
const call = (requestId: string): PaidCall => ({ requestId, status: 200, asked, tokensIn: 30, tokensOut: 1 });
const settled = ['a0-1-1', 'a2-1-1', 'a1-1-2', 'a2-2-1', 'a3-1-1', 'a3-2-1'].map((key) => call(`req-${key}`));
/** The lost attempt's call is on record as one that lost its slot. */
const all = [...settled, call('late-a1-1-1')];

const found = ({ findings }: Report): string[] => findings.map(({ rule, message }) => `${rule}: ${message}`);

test('calls that were all recorded are found in order, and the one that came too late is waste', async ({ log }) => {
  const report = await checkLog(log, { ledgers: { models: all }, kills: 1 });
  assert.equal(found(report), []);
  assert.equal(report.waste, { models: 1, runs: 0 });
});

test('a paid call that is nowhere on record is found, though an attempt was lost: its own call is known', async ({
  log,
}) => {
  const report = await checkLog(log, { ledgers: { models: [...all, call('req-x')] } });
  assert.equal(found(report), ['paid-call: the paid call req-x is not on record, nor lost']);
});

test('a refused call is not paid for', async ({ log }) => {
  const refused = { ...call('req-x'), status: 529, asked: { model: 'other' } };
  assert.equal(found(await checkLog(log, { ledgers: { models: [...all, refused] } })), []);
});

test('a recorded answer that the provider never gave is found at its fact', async ({ log }) => {
  const report = await checkLog(log, {
    ledgers: { models: all.filter(({ requestId }) => requestId !== 'req-a2-2-1') },
  });
  assert.equal(found(report), ['paid-call: the provider knows of no call req-a2-2-1']);
  assert.match(report.findings[0]?.subject ?? '', /agent-runner\.step\.settled\.a2-2-1$/);
});

test('tokens that differ from those of the provider are found', async ({ log }) => {
  const models = all.map((one) => (one.requestId === 'req-a2-2-1' ? { ...one, tokensOut: 2 } : one));
  assert.equal(found(await checkLog(log, { ledgers: { models } })), [
    "paid-call: it says 30 tokens in and 1 out, the provider's req-a2-2-1 had 30 and 2",
  ]);
});

test('more waste than kills is found', async ({ log }) => {
  const report = await checkLog(log, { ledgers: { models: all }, kills: 0 });
  assert.equal(found(report), ['waste: 1 model calls and 0 runs were repeated over 0 kills']);
});

test('calls and runs that were repeated are held to a limit of their own each', async ({ log, job }) => {
  const run: EngineRun = { job, call: 'a2-1-0-1' };
  const check = (kills: Waste) => checkLog(log, { ledgers: { models: all, runs: [run, run] }, kills });
  assert.equal(found(await check({ models: 1, runs: 1 })), []);
  assert.equal(found(await check({ models: 0, runs: 2 })), ['waste: 1 model calls were repeated, 0 may have been']);
  assert.equal(found(await check({ models: 2, runs: 0 })), ['waste: 1 runs were repeated, 0 may have been']);
});

test('runs are asked for, recorded, and counted when they are repeated', async ({ log, job }) => {
  const run: EngineRun = { job, call: 'a2-1-0-1' };
  const twice = await checkLog(log, { ledgers: { runs: [run, run] }, kills: 1 });
  assert.equal(found(twice), []);
  assert.equal(twice.waste, { models: 0, runs: 1 });
  const foreign = await checkLog(log, { ledgers: { runs: [run, { job, call: 'a9-1-0-1' }] } });
  assert.equal(found(foreign), [`run: the engine ran ${job} a9-1-0-1, which nobody asked for`]);
  const none = await checkLog(log, { ledgers: { runs: [] } });
  assert.equal(found(none), ['run: it was settled with an exit code, but the engine knows of no run']);
});

test('one job can be checked alone, and one that is not there is said to be missing', async ({ log, job }) => {
  const report = await checkLog(log, { job });
  assert.ok(report.ok);
  assert.is(report.jobs, 1);
  const none = await checkLog(log, { job: 'job_0none' }).catch((cause: Error) => cause.message);
  assert.is(none, 'there is no job_0none');
});

test('a call that a lost attempt may have made is waste, one of another model or one more is found', async ({
  log,
  world: own,
}) => {
  const play = await Play.on(own);
  await play.submit();
  await play.lose('a0-1-1', false);
  const check = (...more: PaidCall[]) => checkLog(log, { running: true, ledgers: { models: [...all, ...more] } });
  const once = await check(call('req-x'));
  assert.equal(found(once), []);
  assert.is(once.waste.models, 2);
  assert.equal(found(await check(call('req-x'), call('req-y'))), [
    'paid-call: the paid call req-y is not on record, nor lost',
  ]);
  assert.equal(found(await check({ ...call('req-x'), asked: { model: 'other' } })), [
    'paid-call: the paid call req-x is not on record, nor lost',
  ]);
});

test.run();
