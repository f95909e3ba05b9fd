/** A rolling restart of every service during twenty jobs, two gateways behind one door, and a person with the page open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { notesScript } from '../../cluster/script.ts';
import type { Script } from '../../emulators/script.ts';
import { place, sequencesOf, type Place } from '../place.ts';

const jobs = 20;
const replicas = { gateway: 2 };
/** The gateways one after the other, all else beside them one after the other. */
const lanes = [
  ['gateway', 'gateway-2'],
  ['orchestrator', 'agent-runner', 'sandbox', 'billing', 'audit', 'retention', 'evals'],
];

/** The job that the person looks at takes its time over every step. */
const script: Script = async (asked, call) => {
  if (asked.turns.some((turn) => turn.role === 'user' && turn.text.includes('SLOW'))) await sleep(2_000);
  return notesScript(asked, call);
};

/** Submits through the door as the page does: under one key, again when told to. */
async function submit({ door, system }: Place, brief: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${await system.token()}`,
    'content-type': 'application/json',
    'idempotency-key': brief,
  };
  for (;;) {
    const body = JSON.stringify({ brief });
    const response = await fetch(`${door.origin}/v1/jobs`, { method: 'POST', headers, body });
    if (response.status === 201) return ((await response.json()) as { id: string }).id;
    assert.is(response.status, 503);
    assert.is(response.headers.get('retry-after'), '1');
    await sleep(200);
  }
}

/** SIGTERM, drained, started again: one after the other. @returns the longest drain, ms */
async function roll({ system }: Place, lane: readonly string[]): Promise<number> {
  const drains: number[] = [];
  for (const service of lane) {
    const began = performance.now();
    await system.stop(service);
    drains.push(performance.now() - began);
    await system.restart(service);
  }
  return Math.max(...drains);
}

async function submitting(at: Place, ids: string[]): Promise<void> {
  while (ids.length < jobs) {
    ids.push(await submit(at, `Job ${ids.length}`));
    await sleep(300);
  }
}

test(`every service restarts during ${jobs} jobs: nobody sees more than a 503 to be asked again, and the page comes back by itself`, async () => {
  await using at = await place(script, { split: true, sandbox: false, replicas });
  const { page } = at.browser;
  const ids = [await submit(at, 'SLOW job 0')];
  await page.goto(`${at.door.origin}/jobs/${ids[0]}#token=${await at.system.token()}`);
  await page.getByRole('heading', { name: 'SLOW job 0' }).waitFor();
  while (!at.door.lines.some(({ path }) => path.includes(ids[0] ?? ''))) await sleep(20);
  const [drains] = await Promise.all([Promise.all(lanes.map((lane) => roll(at, lane))), submitting(at, ids)]);
  await page.locator('.headline .status', { hasText: 'Completed' }).waitFor({ timeout: 60_000 });
  for (const id of ids) assert.is((await at.client.ended(id)).status, 'completed');
  assert.is(new Set(ids).size, jobs);
  await linesHold(at, ids[0] ?? '');
  answersHold(at, Math.max(...drains));
});

/** Every fact of the job came once and in order, whichever gateway it came from. */
async function linesHold({ door, client }: Place, id: string): Promise<void> {
  const lines = door.lines.filter(({ path }) => path.includes(id)).map(({ ids }) => ids);
  assert.ok(lines.length > 1, 'the line of the page broke and was taken up');
  assert.equal(lines.flat(), await sequencesOf(client, id));
}

function answersHold({ door, browser }: Place, drain: number): void {
  const odd = door.answers.filter(({ status }) => status >= 400 && status !== 503);
  assert.equal(odd, [], 'nothing but 503');
  const again = door.answers.length - door.answers.filter(({ status }) => status < 400).length;
  console.log(`${door.answers.length} answers, ${again} of them 503; longest drain ${Math.round(drain)} of 30,000 ms`);
  assert.ok(drain < 30_000);
  assert.equal(browser.troubles, []);
  assert.equal(browser.elsewhere, []);
}

test.run();
