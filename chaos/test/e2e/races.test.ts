/** commands that come many times, agents that all end at once or never, ends that race with each other. Reads are stale, nothing is killed. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClearFact } from '@loom/log';
import { allFacts } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { submit, unended } from '../../src/load.ts';
import { startRig, type Rig } from '../../src/rig.ts';
import { check, wordsOf } from '../../src/verdict.ts';
import { seed, times } from '../count.ts';
import { gathering } from '../gathering.ts';

const test = suite<{ rig: Rig }>('races');

/** Many calls at once, as wide as the widest fan-out; one mishap in ten would only slow the gatherings. */
const env = {
  LOOM_RUNNER_WIDTH: '128',
  LOOM_MAX_IN_FLIGHT: '250',
  LOOM_MAX_FAN_OUT: '190',
  LOOM_MAX_AGENTS: '400',
  LOOM_MAX_ATTEMPTS: '2',
};

test.before(async (context) => {
  context.rig = await startRig({
    seed,
    sandbox: false,
    mishaps: 0,
    script: gathering,
    replicas: { evals: 0, audit: 0, retention: 0 },
    env,
  });
});
test.after(async ({ rig }) => rig[Symbol.asyncDispose]());

const ends = /^job\.(completed|failed|cancelled|refused)$/;

async function endsOf({ stack }: Rig, id: string): Promise<readonly string[]> {
  const facts: readonly ClearFact[] = await allFacts(stack);
  return facts
    .filter(({ stream }) => stream === id)
    .flatMap(({ items }) => items.flatMap(({ type }) => (ends.test(type) ? [type] : [])));
}

test('a command sent 2, 10 and 100 times at once, and again later, is one event with one answer', async ({ rig }) => {
  for (const many of [2, 10, 100]) {
    const key = randomUUID();
    const send = () =>
      rig.door.call('POST', '/v1/jobs', { brief: 'GATHER 1 of many commands.', budget_micros: 50_000_000 }, { key });
    const first = await Promise.all(Array.from({ length: many }, send));
    const ids = new Set(first.map(({ body }) => String(body['id'])));
    assert.is(ids.size, 1, `${many} at once`);
    for (const id of ids) rig.jobs.add(id);
    assert.equal(await unended(rig, ids, 60), []);
    assert.is(String((await send()).body['id']), [...ids][0], 'and again when the job is over');
  }
});

test('agents that all finish at the same time are joined once', async ({ rig }) => {
  for (const width of [1, 10, 100]) {
    const id = await gather(rig, `GATHER ${width}`);
    assert.equal(await unended(rig, [id], 90), []);
    assert.equal(await endsOf(rig, id), ['job.completed'], `${width} agents`);
  }
});

test('an agent that never answers ends by its deadline, and the job without it', async ({ rig }) => {
  const id = await gather(rig, 'GATHER 3 MUTE');
  assert.equal(await unended(rig, [id], 90), []);
  assert.equal(await endsOf(rig, id), ['job.completed']);
});

test('a cancel, a kill or a budget cut that races the end leaves one terminal fact', async ({ rig }) => {
  const rounds = times(10, 500);
  const acts = ['cancel', 'kill', 'budget'];
  const racing = Array.from({ length: rounds }, async (_, at) => {
    const id = await gather(rig, `GATHER 1 race ${at}`);
    await sleep(rig.random.below(1_500));
    const act = acts[at % acts.length] ?? '';
    await rig.door.call('POST', `/v1/jobs/${id}/${act}`, act === 'budget' ? { budget_micros: 1 } : undefined);
    return id;
  });
  const ids = await Promise.all(racing);
  assert.equal(await unended(rig, ids, 90), []);
  const facts = await allFacts(rig.stack);
  for (const id of ids) {
    const own = facts.filter(({ stream }) => stream === id);
    const said = own.flatMap(({ items }) => items.filter(({ type }) => ends.test(type)));
    assert.is(said.length, 1, id);
  }
});

test('the checker finds nothing in what they left behind', async ({ rig }) => {
  const report = await check(rig);
  console.log(`jobs: ${report.jobs}; facts: ${report.facts}; waste: ${JSON.stringify(report.waste)}`);
  assert.equal(wordsOf(report), []);
});

async function gather(rig: Rig, brief: string): Promise<string> {
  return submit(rig, 1, false, 50_000_000, brief);
}

test.run();
