/** A job that went as it should, on a real log: nothing is found, and every decision comes out again. */
import { decideAgain } from '@loom/cli';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkLog } from '../../src/index.ts';
import { Play, wholeJob } from '../support/play.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

const test = suite<{ world: World; play: Play }>('clean log');

test.before(async (context) => {
  context.world = await world();
  context.play = await Play.on(context.world);
  await wholeJob(context.play);
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

test('nothing is found in a clean log, and every decision is derived anew', async (context) => {
  const log = await context.world.log('operator');
  const seen: string[] = [];
  const report = await checkLog(log, { decide: decideAgain, onProgress: ({ phase }) => void seen.push(phase) });
  assert.equal(report.findings, []);
  assert.ok(report.ok);
  assert.is(report.jobs, 1);
  assert.is(report.open, 0);
  assert.ok(report.facts > 40, `${report.facts} facts`);
  assert.ok(report.rederived >= 12, `${report.rederived} decisions`);
  assert.equal(report.skipped, []);
  assert.ok(seen.includes('checking'));
});

test.run();
