/**
 * each service dies by SIGKILL at each boundary of its step, while jobs run; every job ends, and the checker finds nothing.
 * The orchestrators sweep against each other. Leases are short: a service that always dies is followed by another, or by itself, after 2 s.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { submit, unended } from '../../src/load.ts';
import { boundaries, points } from '../../src/points.ts';
import { startRig, type Rig } from '../../src/rig.ts';
import { keepScore } from '../../src/scores.ts';
import { judge, mayRepeat, rowsAgree, wordsOf } from '../../src/verdict.ts';
import { seed, times } from '../count.ts';

/** Of each service at each boundary, in one round. */
const lives = 3;

/** One round after the other: while runners die all the time, no job comes as far as a sandbox. */
const rounds = times(1, 25);

/** What comes to them is rare: they die at the first of it. */
const workers = ['agent-runner', 'sandbox'];

/** Names of all points of a service, each so often, with the hit at which it dies. */
function casesOf({ random }: Rig, service: string): string[] {
  const hit = (): number => (workers.includes(service) ? 1 : 1 + random.below(2));
  const all = boundaries.flatMap((boundary) =>
    Array.from({ length: lives }, () => `${points[service]?.[boundary]}:${hit()}`),
  );
  return all
    .map((name) => ({ name, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ name }) => name);
}

/**
 * The replicas of a service take its cases in turn: where a lease holds one back, the other dies. One that has none left stays away until the
 * last has died, or it would hold all leases for good.
 */
async function dieEverywhere(rig: Rig, service: string): Promise<readonly string[]> {
  const cases = casesOf(rig, service);
  let dying = 0;
  const next = async function* (): AsyncGenerator<string> {
    for (let one = cases.shift(); one !== undefined; one = cases.shift()) {
      dying += 1;
      yield one;
      dying -= 1;
    }
    while (dying > 0) await sleep(50);
  };
  const replicas = rig.faults.replicas.filter((name) => name.replace(/-\d+$/, '') === service);
  return (await Promise.all(replicas.map((name) => rig.faults.crash(name, next(), 150)))).flat();
}

/** One job after the other, as long as each takes but 20 s at most: a machine that is slow gets fewer. */
async function keepBusy(rig: Rig, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const id = await submit(rig, 1 + rig.random.below(3), true);
    await unended(rig, [id], 20, signal);
  }
}

/** A call of which the sandboxes' own book tells more than once. */
async function someRunRepeated(rig: Rig): Promise<boolean> {
  const calls = (await rig.runs()).map(({ job, call }) => `${job} ${call}`);
  return new Set(calls).size < calls.length;
}

/** A run that was cut off comes again where its deadline leaves the time, of which no crash among many is sure: one of two sandboxes dies until one came. */
async function repeatRun(rig: Rig): Promise<void> {
  for (const until = Date.now() + 90_000; !(await someRunRepeated(rig)) && Date.now() < until; await sleep(2000))
    await rig.faults.crash('sandbox', ['sandbox.ran']);
}

/** Jobs under way at once. */
const lanes = 4;

/** All services die everywhere, side by side; the points that were not met. */
async function round(rig: Rig, number: number): Promise<readonly string[]> {
  const began = Date.now();
  const missed = await Promise.all(
    Object.keys(points).map(async (service) => {
      const own = await dieEverywhere(rig, service);
      console.log(`round ${number} of ${rounds}, ${service}: ${Math.round((Date.now() - began) / 1000)} s`);
      return own;
    }),
  );
  return missed.flat();
}

test('every service may die at every boundary of its step', async () => {
  await using rig = await startRig({ seed, shortLeases: true, env: { LOOM_SWEEP_MS: '1000', LOOM_STREAMS: '2' } });
  const over = new AbortController();
  const loads = Array.from({ length: lanes }, () => keepBusy(rig, over.signal));
  const busy = Promise.all([...loads, keepScore(rig, over.signal)]);
  const missed: string[] = [];
  for (let number = 1; number <= rounds; number += 1) missed.push(...(await round(rig, number)));
  const counts = rig.faults.counts();
  await repeatRun(rig);
  over.abort();
  await busy;
  await rig.faults.quiet();
  console.log(`faults: ${JSON.stringify(counts)}; jobs: ${rig.jobs.size}`);
  assert.equal(missed, [], 'every point was met');
  assert.is(counts['crash'], 8 * 5 * lives * rounds);
  assert.equal(await unended(rig, rig.jobs, 60), []);
  assert.equal(await rowsAgree(rig), []);
  const report = await judge(rig);
  console.log(`facts: ${report.facts}; waste: ${JSON.stringify(report.waste)} of ${JSON.stringify(mayRepeat(rig))}`);
  assert.equal(wordsOf(report), []);
  assert.ok(report.waste.models > 0 && report.waste.runs > 0, 'the ledgers saw what was repeated');
});

test.run();
