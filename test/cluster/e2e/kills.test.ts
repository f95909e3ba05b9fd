/**
 * kill -9 of servers of a cluster while facts are appended. Trials run side by side, each on a cluster of its own: most
 * of their time they wait for an election, which takes a replicated stream 4 to 9 s. No more than three at once: servers that
 * get no processor vote past each other, and then it takes twice as long.
 */
import { natsCluster } from '@loom/test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bounce, faults, leader, writing } from '../killing.ts';
import { each, gaps } from '../world.ts';

const rolls = process.env['LOOM_NIGHTLY'] === '1' ? 100 : 5;
/** N-02's promise; ms. */
const resumesWithin = 10_000;

test(`nothing acknowledged is lost when the leader, then any, then each server in turn is killed, ${rolls} times`, async () => {
  const trials = await each(rolls, 3, async (trial) => {
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

test.run();
