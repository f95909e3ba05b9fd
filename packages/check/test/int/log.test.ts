/** Whole logs: many jobs side by side, open ones, and facts that lie where they do not belong. */
import { decideAgain } from '@loom/cli';
import { prefixOf, readRaw, sumOfRaw } from '@loom/log';
import type { Address, Log } from '@loom/log';
import { headers as natsHeaders } from '@nats-io/nats-core';
import { patient } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkLog } from '../../src/index.ts';
import type { Report } from '../../src/index.ts';
import { Play, wholeJob } from '../support/play.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

const test = suite<{ world: World; log: Log; one: Address; open: Address; torn: Address }>('log');

test.before(async (context) => {
  context.world = await world();
  context.log = await context.world.log('operator');
  const [one, other, open, torn] = await Promise.all([1, 2, 3, 4].map(() => Play.on(context.world)));
  await Promise.all([wholeJob(one!), wholeJob(other!), open!.submit(), wholeJob(torn!)]);
  Object.assign(context, { one: one!.at, open: open!.at, torn: torn!.at });
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

const found = ({ findings }: Report): string[] => findings.map(({ rule, seq }) => `${rule} ${seq}`);

/** Stores bytes under a subject past all of Loom's own code. */
async function store(log: Log, subject: string, body: Uint8Array): Promise<number> {
  const [tenant, stream, , noun, verb, key] = subject.split('.').slice(3);
  const pairs: (readonly [string, string])[] = [
    ['ce-id', subject],
    ['ce-subject', `${tenant}/${stream}/${noun}.${verb}/${key}`],
    ['ce-type', `loom.${noun}.${verb}`],
  ];
  const sum = sumOfRaw({ stream: '', seq: 0, time: 0, subject, headers: pairs, body });
  const headers = natsHeaders();
  for (const [name, value] of [...pairs, ['loom-sum', sum] as const]) headers.set(name, value);
  const reply = await log.connection.request(subject, body, { headers, ...patient });
  return reply.json<{ seq: number }>().seq;
}

test('jobs that went on side by side are each held by themselves; one that runs is allowed only when asked', async (context) => {
  const report = await checkLog(context.log, { running: true });
  assert.equal(found(report), []);
  assert.is(report.jobs, 4);
  assert.is(report.open, 1);
  const strict = await checkLog(context.log);
  assert.equal(
    strict.findings.map(({ rule, job }) => `${rule} ${job}`),
    [`ends ${context.open.stream}`],
  );
});

test('a subject that is no fact is found where it lies', async ({ log }) => {
  const seq = await store(log, 'loom.0.0.tacme.job_0elsewhere.gateway.job.submitted.0', Buffer.from('x'));
  const report = await checkLog(log, { running: true });
  assert.equal(found(report), [`readable ${seq}`]);
  assert.match(report.findings[0]?.message ?? '', /partition/);
});

test('a fact of no known type in a job is found there', async ({ log, open }) => {
  const seq = await store(log, `${prefixOf(open)}.gateway.thing.done.1`, Buffer.from('x'));
  const report = await checkLog(log, { running: true, job: open.stream });
  assert.equal(found(report), [`readable ${seq}`]);
});

test('content that does not open under its key is a finding at its fact, and the other jobs are derived anew', async ({
  log,
  one,
  torn,
}) => {
  const posted = await Array.fromAsync(readRaw(log, one));
  const foreign = posted.find(({ subject }) => subject.endsWith('.message.posted.m1'));
  assert.ok(foreign);
  const seq = await store(log, `${prefixOf(torn)}.gateway.message.posted.m1`, foreign.body);
  const report = await checkLog(log, { running: true, decide: decideAgain });
  const own = report.findings.filter(({ rule, job }) => rule === 'opens' && job === torn.stream);
  assert.equal(
    own.map((finding) => [finding.seq, finding.message]),
    [[seq, 'its content does not open: bad_seal: Sealed bytes do not open under this key and context.']],
  );
  assert.ok(report.rederived > 20, 'decisions of the others');
});

test.run();
