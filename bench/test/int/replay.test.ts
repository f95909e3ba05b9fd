/** Rebuilds and forks of a small job, measured on real servers; nothing is said about how fast. */
import { findNatsServer } from '@loom/cli';
import { foldJob } from '@loom/job';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { forks } from '../../src/fork.ts';
import { rebuilds } from '../../src/rebuild.ts';
import { ends, logOf, startRig, submit } from '../../src/rig.ts';

const options = async () => ({ nats: await findNatsServer(), rounds: 1, note: () => undefined });
const shape = { kind: 'swarm', width: 3, steps: 3, pause: 0 } as const;

test('billing and audit are rebuilt in agreement with what was live, at a rate beside that of reading', async () => {
  await using rig = await startRig({ binary: await findNatsServer(), sync: 'default' });
  await using crew = await rig.crew('loom', shape);
  const answered = ends(crew, 1);
  const at = await submit(rig.gateway);
  await answered;
  while ((await foldJob(rig.gateway, at)).ended === null) await sleep(50);
  await using log = await logOf('operator', rig.servers);
  const found = await Array.fromAsync(rebuilds(log, await options()));
  assert.equal(
    found.map(({ metric, unit, value, ratio }) => [metric, unit, value > 0, ratio > 0]),
    ['billing', 'audit'].flatMap(() => [
      ['facts', '1/s', true, true],
      ['busy', 'ms', true, true],
    ]),
  );
});

test('a fork is asked for at the gateway, and its first step claimed', async () => {
  const [found] = await Array.fromAsync(forks(await options(), shape));
  assert.match(found?.case ?? '', /^fork at \d+ of \d+ facts$/);
  assert.ok(found && found.value > 0 && found.reference_value > 0);
});

test.run();
