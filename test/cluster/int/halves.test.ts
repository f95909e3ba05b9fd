/** kill -9 of two of three servers of a cluster while facts are appended. */
import type { Address, Log } from '@loom/log';
import { natsCluster, type Cluster } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { faults, leader, start, writing, type Writing } from '../killing.ts';
import { awake, each, epoch, everything, failing, fence, job } from '../world.ts';

const halves = process.env['LOOM_NIGHTLY'] === '1' ? 30 : 3;

/** Kills two of three, says what a writer is told meanwhile, brings them back and waits until it goes on. */
async function halve(cluster: Cluster, published: Writing, victims: readonly string[]) {
  const impatient = await cluster.log('orchestrator', { patience: 3000 });
  const [patient = impatient] = published.logs;
  const at = job();
  const basis = (await patient.decide(at, [epoch('before')], fence(0)))!.seq;
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
  const recovered = awake();
  while (!published.acked.some(({ when }) => when > recovered)) await sleep(20);
  return { append, decision, falselyAcked, onBasis: await lateDecision(patient, at, basis) };
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
