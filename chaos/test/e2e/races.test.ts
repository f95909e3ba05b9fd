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
import { nightly, seed, times } from '../count.ts';
import { gathering } from '../gathering.ts';

const test = suite<{ rig: Rig }>('races');

/** Many calls at once, as wide as the widest fan-out; one mishap in ten would only slow the gatherings. Those who wait for each other are not to meet a deadline. */
const env = {
  LOOM_STEP_DEADLINE_MS: '10000',
  LOOM_RUNNER_WIDTH: '128',
  LOOM_MAX_IN_FLIGHT: '250',
  LOOM_MAX_FAN_OUT: '190',
  LOOM_MAX_AGENTS: '400',
  LOOM_MAX_ATTEMPTS: '2',
};

/** For a thousand at once, who wait for each other. */
const widest = {
  LOOM_RUNNER_WIDTH: '600',
  LOOM_MAX_IN_FLIGHT: '1000',
  LOOM_MAX_AGENTS: '1000',
  LOOM_STEP_DEADLINE_MS: '600000',
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

interface Sent {
  readonly id: string;
  /** The id that the same command is answered with when it comes again. */
  readonly again: () => Promise<string>;
}

/** One command so many times at once. */
async function sendAtOnce(rig: Rig, many: number): Promise<Sent> {
  const key = randomUUID();
  const command = { brief: 'GATHER 1 of many commands.', budget_micros: 50_000_000 };
  const again = async (): Promise<string> =>
    String((await rig.door.call('POST', '/v1/jobs', command, { key })).body['id']);
  const ids = new Set(await Promise.all(Array.from({ length: many }, again)));
  const [id = ''] = ids;
  assert.is(ids.size, 1, `${many} at once`);
  rig.jobs.add(id);
  return { id, again };
}

async function answeredAlike(sent: readonly Sent[], when: string): Promise<void> {
  for (const { id, again } of sent) assert.is(await again(), id, when);
}

test('a command sent 2, 10 and 100 times at once is one event with one answer; so it is later, and when no gateway remembers it', async ({
  rig,
}) => {
  const sent: Sent[] = [];
  for (let round = 0; round < times(1, 167); round += 1)
    for (const many of [2, 10, 100]) sent.push(await sendAtOnce(rig, many));
  assert.equal(await unended(rig, rig.jobs, 120), []);
  await answeredAlike(sent, 'when the job is over');
  const gateways = rig.faults.replicas.filter((name) => name.startsWith('gateway'));
  await Promise.all(gateways.map((name) => rig.faults.kill(name)));
  await answeredAlike(sent, 'when the gateways were killed and started');
  const taken = (await allFacts(rig.stack)).filter(({ type }) => type === 'job.submitted');
  assert.is(taken.length, sent.length);
  console.log(`commands: ${sent.length}`);
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

if (nightly)
  test('a thousand agents are joined once', async ({ rig }) => {
    await using wide = await startRig({ ...rig.options, seed: seed + 1, env: { ...env, ...widest } });
    const began = Date.now();
    const id = await submit(wide, 1, false, 1_000_000_000, 'SWARM 1000');
    assert.equal(await unended(wide, [id], 1_800), []);
    const seconds = Math.round((Date.now() - began) / 1000);
    const facts = await allFacts(wide.stack);
    const agents = facts.flatMap(({ items }) => items.filter(({ type }) => type === 'agent.spawned')).length;
    console.log(`agents: ${agents}; facts: ${facts.length}; ${seconds} s`);
    assert.is(agents, 1000);
    assert.equal(await endsOf(wide, id), ['job.completed']);
    assert.equal(wordsOf(await check(wide)), []);
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
