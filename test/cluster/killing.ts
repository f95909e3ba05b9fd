/** Servers of a cluster that are killed and started while facts are appended. */
import type { Log } from '@loom/log';
import { type Cluster } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { everything, faultsOf, job, publishing, type Publishing } from './world.ts';

const streamName = 'LOOM_EVENTS_0_0';
const writers = 8;

export async function leader(cluster: Cluster): Promise<string> {
  for (;;) {
    const name = await cluster.nats.leaderOf(streamName);
    if (name !== null) return name;
    await sleep(50);
  }
}

/** Kills a server, gives its streams time to find new leaders, and brings it back. */
export async function bounce(cluster: Cluster, name: string): Promise<void> {
  await cluster.nats.kill(name);
  await leader(cluster);
  await start(cluster, name);
  await cluster.nats.settled();
}

/** On its old ports, which somebody's own connection may hold for a moment. */
export async function start({ nats }: Cluster, name: string, tries = 5): Promise<void> {
  for (let left = tries; ; left -= 1)
    try {
      return await nats.start(name);
    } catch (cause) {
      if (left === 0 || !/address already in use/.test(String(cause))) throw cause;
      await sleep(1000);
    }
}

export type Writing = Publishing & { readonly logs: readonly Log[] };

/** Longer than servers that are down take to come back where many processes want two processors; ms. */
const patience = 90_000;

export async function writing(cluster: Cluster): Promise<Writing> {
  const logs = await Promise.all([0, 1, 2].map((node) => cluster.log('orchestrator', { node, patience })));
  return { logs, ...publishing(logs, Array.from({ length: writers }, job)) };
}

/** What does not hold at the end: facts lost, places held twice, appends that gave up. */
export async function faults(cluster: Cluster, published: Publishing): Promise<string[]> {
  await cluster.nats.settled();
  const log = await cluster.log('orchestrator');
  const gaveUp = published.unknown.map(({ at, draft }) => `gave up: ${at.stream}/${draft.key}`);
  return [...faultsOf(await everything(log), published), ...gaveUp];
}
