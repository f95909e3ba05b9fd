/**
 * One Loom through everything: rolling deploys under load; then and whatever else may happen at once, pairs killed,
 * zombies, crashes, the log and the database killed, people changing their minds; then what clients see of cut streams.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serviceOf } from '../../src/faults.ts';
import { submit, unended } from '../../src/load.ts';
import { fullDeck, fullRounds, smallDeck } from '../../src/rage.ts';
import { startRig, tenant, type Rig } from '../../src/rig.ts';
import { storm } from '../../src/run.ts';
import { check, wordsOf } from '../../src/verdict.ts';
import { nightly, seed, times } from '../count.ts';
import { part, residentMb, sequences } from '../streams.ts';

const test = suite<{ rig: Rig }>('storm');

test.before(async (context) => {
  context.rig = await startRig({ seed });
});
test.after(async ({ rig }) => rig[Symbol.asyncDispose]());

/** Jobs come and are looked at until the signal aborts. */
async function clients(rig: Rig, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const id = await submit(rig, 1, rig.random.chance(0.3));
    for (let looks = 0; looks < 6 && !signal.aborted; looks += 1) {
      await rig.door.call('GET', `/v1/jobs/${id}`);
      await sleep(100);
    }
  }
}

interface Drain {
  readonly name: string;
  readonly ms: number;
}

/** All services at once, the replicas of each in turn. */
async function rollingDeploy({ faults }: Rig): Promise<readonly Drain[]> {
  const services = [...Map.groupBy(faults.replicas, serviceOf).values()];
  const drains = await Promise.all(
    services.map(async (replicas) => {
      const own: Drain[] = [];
      for (const name of replicas) own.push({ name, ms: await faults.deploy(name) });
      return own;
    }),
  );
  return drains.flat();
}

test('a rolling deploy of every service under load is no error to clients, and each drains in time', async ({
  rig,
}) => {
  const over = new AbortController();
  const busy = clients(rig, over.signal);
  const drains: Drain[] = [];
  for (let round = 0; round < times(1, 50); round += 1) drains.push(...(await rollingDeploy(rig)));
  over.abort();
  await busy;
  const [longest] = drains.toSorted((a, b) => b.ms - a.ms);
  console.log(
    `deploys: ${drains.length}; longest drain: ${longest?.name} ${longest?.ms} ms; asked again: ${rig.door.repeats()}`,
  );
  assert.ok(drains.length >= rig.faults.replicas.length);
  assert.ok(drains.every(({ ms }) => ms < 30_000));
  assert.equal(rig.door.refused, []);
  assert.equal(rig.door.broken, []);
  assert.equal(await unended(rig, rig.jobs, 60), []);
});

const [rounds, deck] = nightly ? [fullRounds, fullDeck] : [1, smallDeck];

test('whatever is killed or paused, every job ends and nothing is lost or done twice', async ({ rig }) => {
  const outcome = await storm(rig, { jobs: 24, deck, rounds });
  console.log(JSON.stringify(outcome));
  assert.equal(outcome.findings, []);
  assert.ok((outcome.faults['pause'] ?? 0) >= rounds * deck.pause);
  assert.ok((outcome.faults['kill'] ?? 0) >= rounds * 2 * deck.pair);
});

test('streams cut at any byte and resumed at any gateway join without gap or repeat', async ({ rig }) => {
  const cuts = times(20, 300);
  const seqs = await sequences(rig);
  let made = 0;
  for (const job of rig.jobs) {
    const want = seqs.get(job) ?? [];
    const seen: number[] = [];
    while (seen.length < want.length && made < cuts) {
      const url = `${rig.random.pick(rig.stack.urls)}/v1/jobs/${job}/events`;
      seen.push(...(await part(rig, url, seen.at(-1) ?? 0, 200 + rig.random.below(20_000))));
      made += 1;
    }
    assert.equal(seen, want.slice(0, seen.length), job);
    if (made >= cuts) break;
  }
  console.log(`cuts: ${made}`);
  assert.ok(made >= cuts);
});

test('a thousand idle streams fit into a gateway', async ({ rig }) => {
  const [url = ''] = rig.stack.urls;
  const idle = await submit(rig, 1, false, 1);
  const pid = rig.stack.state().pids['gateway'] ?? 0;
  const before = await residentMb(pid);
  const leave = new AbortController();
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, at) => rig.stack.token({ tenant, person: `watcher${at}` })),
  );
  const watch = (token: string): Promise<Response> =>
    fetch(`${url}/v1/jobs/${idle}/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      signal: leave.signal,
    });
  const open = await Promise.all(tokens.flatMap((token) => Array.from({ length: 20 }, () => watch(token))));
  const after = await residentMb(pid);
  console.log(`1000 streams: ${Math.round(after - before)} MB`);
  assert.ok(open.every(({ status }) => status === 200));
  assert.ok(after - before < 200, `${after - before} MB`);
  assert.is((await rig.door.call('GET', `/v1/jobs/${idle}`)).status, 200, 'others are served beside them');
  leave.abort();
  assert.equal(await unended(rig, [idle], 60), []);
  assert.equal(wordsOf(await check(rig)), []);
});

test.run();
