/**
 * Each rule taken away is found out by faults and checks that Loom itself passes, in the very same trial. A trial ends at its first finding.
 * Two go on side by side: most of their time is the start of processes and the wait for a job that stands still.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controls, type Control } from '../../src/controls.ts';
import { trial, type Trial } from '../../src/trial.ts';
import { seed, times } from '../count.ts';

const loom = 'Loom itself';
const names = [loom, ...(Object.keys(controls) as Control[])] as const;
const rounds = times(1, 10);

const trials = new Map(names.map((name) => [name, Promise.withResolvers<readonly Trial[]>()]));

/** Loom's own trial takes longest, so it comes first in its lane. */
async function lane(waiting: (Control | typeof loom)[]): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const met: Trial[] = [];
    for (let round = 0; round < rounds; round += 1) met.push(await trial(name === loom ? null : name, seed + round));
    trials.get(name)?.resolve(met);
  }
}

test.before(() => {
  for (const { promise } of trials.values()) promise.catch(() => undefined);
  const waiting = [...names];
  void Promise.all([lane(waiting), lane(waiting)]).catch((cause: unknown) => {
    for (const { reject } of trials.values()) reject(cause);
  });
});

const told = (name: string, met: readonly Trial[]): void => {
  const seconds = met.map(({ took }) => (took / 1000).toFixed(1)).join(', ');
  const found = met.filter(({ findings }) => findings.length > 0);
  console.log(
    `${name}: found ${found.length} of ${met.length} times, after ${seconds} s; ${found[0]?.findings[0] ?? ''}`,
  );
};

test('the trial finds nothing in Loom as it is', async () => {
  const met = (await trials.get(loom)?.promise) ?? [];
  told(loom, met);
  assert.is(met.length, rounds);
  for (const { findings, facts } of met) {
    assert.equal(findings, []);
    assert.ok(facts > 100, `${facts} facts`);
  }
});

for (const control of Object.keys(controls) as Control[])
  test(`without ${control} the trial finds something`, async () => {
    const met = (await trials.get(control)?.promise) ?? [];
    told(control, met);
    assert.is(met.length, rounds);
    assert.ok(met.every(({ findings }) => findings.length > 0));
  });

test.run();
