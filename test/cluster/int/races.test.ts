/** Who may write when several want to at once, on three servers with three replicas of every stream. */
import type { Log, Source } from '@loom/log';
import { natsCluster, type Cluster } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { raceDispatch, raceFence, raceSlot, respell, type Round } from '../fences.ts';
import { byJob, each, epoch, everything, fence, job } from '../world.ts';

const test = suite<{ cluster: Cluster }>('races on a cluster');
test.before(async (context) => {
  context.cluster = await natsCluster();
});
test.after(async ({ cluster }) => cluster[Symbol.asyncDispose]());

const rounds = 300;
const several = (cluster: Cluster, source: 'orchestrator' | 'agent-runner', n: number): Promise<Log[]> =>
  Promise.all(Array.from({ length: n }, (_, node) => cluster.log(source, { node })));

/** Rounds in which not exactly one got in, by what they were told and by what the log holds under the raced source. */
async function contested(cluster: Cluster, log: Log, source: Source, race: readonly Round[]): Promise<Round[]> {
  await cluster.nats.settled();
  const stored = byJob((await everything(log)).filter((fact) => fact.source === source));
  return race.filter(({ at, winners }) => winners !== 1 || stored.get(at.stream)?.length !== 1);
}

test('of four deciders on three servers with one fence exactly one gets in, 300 times', async ({ cluster }) => {
  const deciders = await several(cluster, 'orchestrator', 4);
  assert.equal(await contested(cluster, deciders[0]!, 'orchestrator', await raceFence(deciders, rounds)), []);
});

test('of completed and lost exactly one takes the slot, 300 times', async ({ cluster }) => {
  const runners = await several(cluster, 'agent-runner', 2);
  const orchestrators = await several(cluster, 'orchestrator', 2);
  assert.equal(
    await contested(cluster, runners[0]!, 'agent-runner', await raceSlot(runners, orchestrators, rounds)),
    [],
  );
});

test('a dispatch moves no fence that is in flight beside it, and never lets two deciders in, 300 times', async ({
  cluster,
}) => {
  const deciders = await several(cluster, 'orchestrator', 4);
  const race = await raceDispatch(deciders, rounds);
  await cluster.nats.settled();
  const stored = byJob(await everything(deciders[0]!));
  const orders = race.map(({ at }) => stored.get(at.stream)!.map(({ type }) => type));
  const beside = orders.filter((types) => types[1] === 'tool.requested' && types.length === 3).length;
  console.log(`${beside} of ${rounds} decisions lie behind a dispatch that they did not see`);
  for (const [i, { winners }] of race.entries()) {
    assert.ok(winners <= 1);
    assert.equal(
      orders[i]!.toSorted(),
      ['decision.made', 'epoch.raised', 'tool.requested']
        .slice(0, 3)
        .filter((type) => winners === 1 || type !== 'epoch.raised'),
    );
  }
});

test('control: where two deciders spell the fence differently both get in, and the race sees it', async ({
  cluster,
}) => {
  const deciders = await several(cluster, 'orchestrator', 4);
  for (const log of deciders.slice(2)) respell(log);
  const seen = await contested(cluster, deciders[0]!, 'orchestrator', await raceFence(deciders, rounds));
  console.log(`two spellings: ${seen.length} of ${rounds} rounds let more than one in`);
  assert.ok(seen.length > 0);
  assert.ok(seen.every(({ winners }) => winners > 1));
});

test('what one service has appended another finds at once, whichever server it asks, 900 times', async ({
  cluster,
}) => {
  const [writer] = await several(cluster, 'orchestrator', 1);
  const readers = await Promise.all([0, 1, 2].map((node) => cluster.log('gateway', { node })));
  const found = await each(rounds, 4, async () => {
    const at = job();
    await writer!.append(at, epoch('1'));
    return Promise.all(readers.map((log) => log.getClear(at, 'orchestrator', 'epoch.raised', '1')));
  });
  assert.is(found.flat().filter((fact) => fact !== null).length, 3 * rounds);
});

test('of fifty writers at one place of each of a hundred jobs exactly one gets in', async ({ cluster }) => {
  const writers = await several(cluster, 'orchestrator', 50);
  const race = await each(100, 2, async () => {
    const at = job();
    const results = await Promise.all(writers.map((log, i) => log.decide(at, [epoch(`w${i}`)], fence(0))));
    return { at, winners: results.filter((one) => one !== null).length };
  });
  assert.equal(await contested(cluster, writers[0]!, 'orchestrator', race), []);
});

test('fifty writers that each decide once on each of a hundred jobs make 5000 decisions, each on the one before it', async ({
  cluster,
}) => {
  const writers = await several(cluster, 'orchestrator', 50);
  const jobs = Array.from({ length: 100 }, job);
  const write = async (log: Log, w: number): Promise<void> => {
    for (const at of jobs.toSorted(() => Math.random() - 0.5)) {
      for (let basis = 0; (await log.decide(at, [epoch(`w${w}`)], fence(basis))) === null;) {
        for await (const { seq } of log.readClear(at, { after: basis })) basis = seq;
      }
    }
  };
  await Promise.all(writers.map(write));
  await cluster.nats.settled();
  const stored = byJob(await everything(writers[0]!));
  for (const { stream } of jobs) {
    const facts = stored.get(stream) ?? [];
    assert.is(facts.length, 50);
    assert.equal(
      facts.map(({ basis }) => basis),
      [0, ...facts.slice(0, -1).map(({ seq }) => seq)],
    );
  }
});

test.run();
