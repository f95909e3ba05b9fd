/**
 * kill -9 of servers of a cluster while facts are appended. Trials run side by side, each on a cluster of its own: most
 * of their time they wait for an election, which takes a replicated stream 4 to 9 s.
 */
import type { Address, Log } from '@loom/log';
import { natsCluster, type Cluster } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, epoch, everything, failing, faultsOf, fence, gaps, job, publishing, type Publishing } from '../world.ts';

const nightly = process.env['LOOM_NIGHTLY'] === '1';
const [rolls, halves] = nightly ? [100, 30] : [5, 3];
/** N-02's promise; ms. */
const resumesWithin = 10_000;

const streamName = 'LOOM_EVENTS_0_0';
const writers = 8;

async function leader(cluster: Cluster): Promise<string> {
  for (;;) {
    const name = await cluster.nats.leaderOf(streamName);
    if (name !== null) return name;
    await sleep(50);
  }
}

/** Kills a server, gives its streams time to find new leaders, and brings it back. */
async function bounce(cluster: Cluster, name: string): Promise<void> {
  await cluster.nats.kill(name);
  await leader(cluster);
  await start(cluster, name);
  await cluster.nats.settled();
}

/** On its old ports, which somebody's own connection may hold for a moment. */
async function start({ nats }: Cluster, name: string, tries = 5): Promise<void> {
  for (let left = tries; ; left -= 1)
    try {
      return await nats.start(name);
    } catch (cause) {
      if (left === 0 || !/address already in use/.test(String(cause))) throw cause;
      await sleep(1000);
    }
}

async function writing(cluster: Cluster): Promise<Publishing & { readonly logs: readonly Log[] }> {
  const logs = await Promise.all([0, 1, 2].map((node) => cluster.log('orchestrator', { node })));
  return { logs, ...publishing(logs, Array.from({ length: writers }, job)) };
}

/** What does not hold at the end: facts lost, places held twice, appends that gave up. */
async function faults(cluster: Cluster, published: Publishing): Promise<string[]> {
  await cluster.nats.settled();
  const log = await cluster.log('orchestrator');
  const gaveUp = published.unknown.map(({ at, draft }) => `gave up: ${at.stream}/${draft.key}`);
  return [...faultsOf(await everything(log), published), ...gaveUp];
}

test(`nothing acknowledged is lost when the leader, then any, then each server in turn is killed, ${rolls} times`, async () => {
  const trials = await each(rolls, 5, async (trial) => {
    await using cluster = await natsCluster({ streams: 1 });
    const published = await writing(cluster);
    await bounce(cluster, await leader(cluster));
    await bounce(cluster, `nats-${(trial % 3) + 1}`);
    for (const { name } of cluster.nats.nodes) await bounce(cluster, name);
    await published.stop();
    const found = await faults(cluster, published);
    const silent = gaps(published.acked);
    console.log(
      `trial ${trial}: ${published.acked.length} acknowledged, ${found.length} faults, silent for ${silent.join(', ')} ms`,
    );
    return { gaps: silent, faults: found };
  });
  assert.equal(
    trials.flatMap((trial) => trial.faults),
    [],
  );
  const longest = Math.max(...trials.flatMap((trial) => trial.gaps));
  assert.ok(longest < resumesWithin, `appends stood still for ${longest} ms`);
});

/** Kills two of three, says what a writer is told meanwhile, brings them back and waits until it goes on. */
async function halve(cluster: Cluster, published: Publishing, victims: readonly string[]) {
  const impatient = await cluster.log('orchestrator', { patience: 3000 });
  const at = job();
  const basis = (await impatient.decide(at, [epoch('before')], fence(0)))!.seq;
  await Promise.all(victims.map((name) => cluster.nats.kill(name)));
  const killed = performance.now();
  const [append, decision] = await Promise.all([
    failing(impatient.append(job(), epoch('e'))),
    failing(impatient.decide(at, [epoch('during')], fence(basis))),
  ]);
  // What was under way when the last of a majority died may still be acknowledged; nothing that was begun behind it may.
  const falselyAcked = published.acked.filter(({ begun }) => begun > killed).length;
  for (const name of victims) await start(cluster, name);
  await cluster.nats.settled();
  const recovered = performance.now();
  while (!published.acked.some(({ when }) => when > recovered)) await sleep(20);
  return { append, decision, falselyAcked, onBasis: await lateDecision(impatient, at, basis) };
}

test(`with two of three servers killed nothing is acknowledged, nothing is lost, and it goes on with them, ${halves} times`, async () => {
  const trials = await each(halves, 3, async (trial) => {
    await using cluster = await natsCluster({ streams: 1 });
    const published = await writing(cluster);
    await sleep(1000);
    const first = await leader(cluster);
    const followers = cluster.nats.nodes.map(({ name }) => name).filter((name) => name !== first);
    const told = await halve(cluster, published, trial % 2 === 0 ? [first, followers[0]!] : followers);
    await published.stop();
    return { ...told, faults: await faults(cluster, published) };
  });
  const unavailable = { append: 'log_unavailable', decision: 'log_unavailable' };
  for (const trial of trials) assert.equal(trial, { ...unavailable, falselyAcked: 0, onBasis: 1, faults: [] });
});

/** How many decisions stand on one basis, once two more deciders have tried. */
async function lateDecision(log: Log, at: Address, basis: number): Promise<number> {
  await Promise.all([log.decide(at, [epoch('a')], fence(basis)), log.decide(at, [epoch('b')], fence(basis))]);
  return (await everything(log)).filter((fact) => fact.stream === at.stream && fact.basis === basis).length;
}

test.run();
