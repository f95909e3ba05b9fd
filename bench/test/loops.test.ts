/** Both sides really go through their loops on a real server; nothing is said about how fast. */
import { findNatsServer } from '@loom/cli';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Shape } from '../src/protocol.ts';
import { runLoops, startRig } from '../src/rig.ts';

const shapes: readonly Shape[] = [
  { kind: 'pingpong', steps: 5 },
  { kind: 'fanout', width: 3 },
];

test('the log alone goes through the same loop', async () => {
  await using rig = await startRig({ binary: await findNatsServer(), sync: 'default' });
  await using crew = await rig.crew('log', shapes[0]!);
  const { p50, steps } = await runLoops(rig, 'log', crew, { count: 3, together: true });
  assert.ok(p50 > 0 && steps > 0);
});

test('every loop of either side comes to its end, and each step of it is measured', async () => {
  await using rig = await startRig({ binary: await findNatsServer(), sync: 'default' });
  for (const side of ['raw', 'loom'] as const) {
    for (const shape of shapes) {
      await using crew = await rig.crew(side, shape);
      const { p50, steps } = await runLoops(rig, side, crew, { count: 2, together: false });
      assert.ok(p50 > 0);
      assert.ok(shape.kind === 'fanout' || steps >= 8);
    }
  }
});

test.run();
