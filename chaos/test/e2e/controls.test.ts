/** Each rule taken away is found out by the very run that Loom itself passes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controls, type Control } from '../../src/controls.ts';
import { chaos } from '../../src/run.ts';
import { seed } from '../count.ts';

const deck = { kill: 4, pair: 2, crash: 4, pause: 1, deploy: 0, nats: 0, postgres: 0 };

for (const control of Object.keys(controls) as Control[])
  test(`without ${control} the run finds something`, async () => {
    const { findings } = await chaos({ seed, jobs: 8, deck, control, whole: false });
    console.log(`${control}: ${findings.length} findings, first: ${findings[0]}`);
    assert.ok(findings.length > 0);
  });

test.run();
