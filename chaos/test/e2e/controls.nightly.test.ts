/**
 * Each rule taken away is found out by the very faults and checks that Loom itself passes: in the storm, where only triggers move
 * jobs, and at the crash points, where orchestrators sweep against each other.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controls, type Control } from '../../src/controls.ts';
import { chaos, type Outcome } from '../../src/run.ts';
import { seed } from '../count.ts';

const deck = { kill: 2, pair: 1, crash: 2, pause: 1, deploy: 0, nats: 0, postgres: 0 };

/** Only a race of two orchestrators can show it. */
const racing: readonly Control[] = ['fence'];
/** Found by jobs that do not end: these mostly wait, beside the others. */
const hanging: readonly Control[] = ['seen-trigger', 'lost-slots'];

const trial = (control: Control, at: number): Promise<Outcome> =>
  chaos({ seed: at, jobs: 6, deck, control, whole: false, ...(racing.includes(control) ? { sweepMs: 500 } : {}) });

const found = new Map(
  (Object.keys(controls) as Control[]).map((control) => [control, Promise.withResolvers<readonly string[]>()]),
);

/** Chance decides what a small storm meets: a second one when the first met nothing. */
async function lane(those: readonly Control[]): Promise<void> {
  for (const control of those) {
    const first = await trial(control, seed);
    const { findings } = first.findings.length > 0 ? first : await trial(control, seed + 1);
    found.get(control)?.resolve(findings);
  }
}

test.before(() => {
  const others = [...found.keys()].filter((control) => !hanging.includes(control));
  const fail = (cause: unknown): void => {
    for (const { reject } of found.values()) reject(cause);
  };
  for (const { promise } of found.values()) promise.catch(() => undefined);
  void Promise.all([lane(hanging), lane(others)]).catch(fail);
});

for (const [control, { promise }] of found)
  test(`without ${control} the run finds something`, async () => {
    const findings = await promise;
    console.log(`${control}: ${findings.length} findings, first: ${findings[0]}`);
    assert.ok(findings.length > 0);
  });

test.run();
