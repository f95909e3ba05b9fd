/**
 * R-06 and R-14 on one Loom: deliveries that come late, out of order and twice; clocks that are set while jobs run.
 * Nothing is killed, so no model call may be repeated, and a run (free, hence unclaimed) only where its request came once more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClearFact } from '@loom/log';
import { allFacts, patient } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Shift } from '../../src/clocks.ts';
import { submit, unended } from '../../src/load.ts';
import { logAs } from '../../src/logs.ts';
import { randomOf } from '../../src/random.ts';
import { briefOf } from '../../src/script.ts';
import { startUnsteady, waitWord, type Unsteady } from '../../src/unsteady.ts';
import { judge, wordsOf } from '../../src/verdict.ts';
import { seed, times } from '../count.ts';

const test = suite<Unsteady>('unsteady');

test.before(async (context) => {
  Object.assign(context, await startUnsteady({ seed }));
});
test.after(async (context) => {
  await context[Symbol.asyncDispose]();
});

const hour = 3_600_000;

const projections = ['billing', 'audit', 'retention', 'evals', 'gateway'];

/** Until the projections are at the end of the log: what they are handed over and over again would only grow from seed to seed. */
async function caughtUp({ stack }: Unsteady['rig']): Promise<void> {
  await using log = await logAs(stack, 'setup');
  const behind = async (stream: string, durable: string): Promise<number> => {
    const reply = await log.connection.request(`$JS.API.CONSUMER.INFO.${stream}.${durable}`, '', patient);
    const { num_pending, num_ack_pending } = reply.json<{ num_pending: number; num_ack_pending: number }>();
    return num_pending + num_ack_pending;
  };
  for (const stream of log.streams)
    for (const durable of projections) while ((await behind(stream, durable)) > 0) await sleep(50);
}

interface Job {
  readonly code: boolean;
  /** Its first call is put off, so that it waits for a timer. */
  readonly waits: boolean;
}

const one = (rig: Unsteady['rig'], agents: number, { code, waits }: Job): Promise<string> =>
  submit(rig, agents, code, undefined, briefOf(agents, code, `Job ${rig.jobs.size}${waits ? `. ${waitWord}` : ''}`));

test('R-06: what the projections and the decider make of deliveries in disorder is what the log says', async (context) => {
  const { rig, disorder } = context;
  const seeds = times(10, 1_000);
  for (let n = 0; n < seeds; n += 1) {
    disorder.set(0.2, randomOf(seed + n));
    const job = await one(rig, 1 + (n % 3), { code: n % 5 === 0, waits: n % 5 === 1 });
    assert.equal(await unended(rig, [job], 60), [], `seed ${seed + n}`);
    disorder.set(0, randomOf(seed));
    await caughtUp(rig);
  }
  const { delivered, late, twice } = disorder.counts();
  console.log(`${seeds} seeds from ${seed}: ${delivered} deliveries, ${late} late, ${twice} twice`);
  assert.ok(late > delivered / 10 && twice > delivered / 10);
  await holds(context);
});

/** What a clock is set to: an hour on or back, standing still, two seconds before the night on which summer time ends. */
const shifts = (): readonly Shift[] => [hour, -hour, 'stopped', Date.parse('2026-10-25T00:59:58Z') - Date.now()];

const groups = [['orchestrator'], ['agent-runner'], ['gateway', 'billing'], ['sandbox', 'audit', 'retention']];

test('R-14: clocks that are set while jobs run end no job, lose no slot and fire no timer twice or early', async (context) => {
  const { rig, clocks } = context;
  const before = (await allFacts(rig.stack)).length;
  const rounds = times(3, 50);
  for (let round = 0; round < rounds; round += 1) {
    const jobs = [await one(rig, 2, { code: true, waits: true }), await one(rig, 1, { code: false, waits: true })];
    await sleep(100 * (round % 8));
    const all = shifts();
    const set = groups.flatMap((group, i) => group.map((name) => [name, all[(i + round) % all.length]] as const));
    await clocks.set(Object.fromEntries(set) as Record<string, Shift>);
    assert.equal(await unended(rig, jobs, 30), [], `round ${round}`);
  }
  await clocks.set({});
  const facts = await allFacts(rig.stack);
  assert.ok(facts.length > before);
  assert.equal(lostOrLate(facts), []);
  assert.equal(rig.door.refused, []);
  await holds(context);
});

/** Slots that were lost, timers that fired early or more than once, jobs that ended otherwise than done, in words. */
function lostOrLate(facts: readonly ClearFact[]): readonly string[] {
  const timers = new Set<string>();
  return facts.flatMap(({ stream, time, items }) =>
    items.flatMap(({ type, key, body }) => {
      const name = `${stream} ${type} ${key}`;
      if (type === 'step.settled' || type === 'tool.settled') return body.outcome === 'lost' ? [`${name} is lost`] : [];
      if (type === 'job.failed' || type === 'job.cancelled') return [name];
      if (type !== 'timer.fired') return [];
      const twice = timers.has(name);
      timers.add(name);
      return [...(twice ? [`${name} twice`] : []), ...(time < body.due ? [`${name} ${body.due - time} ms early`] : [])];
    }),
  );
}

/** No rows of suites are there, since none ran. */
async function holds({ rig, disorder }: Unsteady): Promise<void> {
  const report = await judge(rig, { models: 0, runs: disorder.counts().runsTwice });
  assert.equal(wordsOf({ ...report, skipped: [] }), []);
  assert.equal(report.skipped, ['scores: there are no rows that could differ']);
}

test.run();
