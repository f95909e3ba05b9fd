/** Each rule taken away is found out by the very faults and checks that Loom itself passes: in the storm, where only triggers move jobs, and at the crash points, where orchestrators sweep against each other. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controls, type Control } from '../../src/controls.ts';
import { chaos } from '../../src/run.ts';
import { seed } from '../count.ts';

const deck = { kill: 2, pair: 1, crash: 2, pause: 1, deploy: 0, nats: 0, postgres: 0 };

/** Where only a race of two orchestrators can show it. */
const racing: readonly Control[] = ['fence'];

for (const control of Object.keys(controls) as Control[])
  test(`without ${control} the run finds something`, async () => {
    const { findings } = await chaos({
      seed,
      jobs: 8,
      deck,
      control,
      whole: false,
      ...(racing.includes(control) ? { sweepMs: 500 } : {}),
    });
    console.log(`${control}: ${findings.length} findings, first: ${findings[0]}`);
    assert.ok(findings.length > 0);
  });

test.run();
