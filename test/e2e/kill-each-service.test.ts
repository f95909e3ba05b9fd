/** kill -9 of each service in turn in the middle of a job: the job ends, and every fact, artifact and usage row is there once. */
import { allFacts, clientOf, stack, subjectOf, type Client } from '@loom/test';
import type { ClearFact } from '@loom/log';
import pg from 'pg';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../emulators/anthropic.ts';
import { swarmScript } from '../emulators/swarm-script.ts';

const services = ['gateway', 'orchestrator', 'agent-runner', 'sandbox', 'billing', 'audit', 'retention', 'evals'];
const examples = new URL('../../examples/', import.meta.url);

const itemsOf = (facts: readonly ClearFact[], type: string) =>
  facts.flatMap(({ items }) => items.filter((item) => item.type === type));

/** Claims of a killed runner are given up after the step's deadline, so it is short here; what a killed sandbox had in hand comes again after the ack wait, however long others wait before it. */
const deadlines = { LOOM_STEP_DEADLINE_MS: '4000', LOOM_SWEEP_MS: '1000' };

async function data(...names: readonly string[]): Promise<Record<string, Buffer>> {
  const read = names.map(async (name): Promise<[string, Buffer]> => [name, await readFile(new URL(name, examples))]);
  return Object.fromEntries(await Promise.all(read));
}

test('each service is killed in the middle of a job and started again: everything is there once', async () => {
  await using model = await anthropicEmulator({ script: swarmScript });
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test', ...deadlines };
  await using system = await stack({ split: true, env, ackWait: 8_000 });
  const client = clientOf(system);
  const files = await data('debian-packages.csv', 'time-zones.tsv');
  const jobs: string[] = [];
  for (const service of services) {
    jobs.push(await client.submit('Profile both files and write a report.', files));
    await sleep(200 + Math.random() * 2_000);
    await system.kill(service);
    await system.restart(service);
  }
  for (const id of jobs) await completed(client, id);
  const facts = await allFacts(system);
  assert.not(
    facts.some(({ type }) => type === 'message.parked'),
    'nothing was parked',
  );
  assert.is(new Set(facts.map(subjectOf)).size, facts.length, 'no fact is there twice');
  for (const id of jobs) once(facts.filter(({ stream }) => stream === id));
  await usageMatches(system.postgresUrl, jobs, facts);
});

/** The job came to its end with files whose figures come from the data. */
async function completed(client: Client, id: string): Promise<void> {
  const job = await client.ended(id, 150);
  assert.is(job.status, 'completed', `${id}: ${JSON.stringify(job.failure)}`);
  assert.is(new Set(job.artifacts.map(({ path }) => path)).size, job.artifacts.length);
  assert.match((await client.artifact(id, 'final/report.md')).toString(), /debian-packages\.csv: rows \| 6000 /);
}

/** One end, one outcome a slot, each artifact once. */
function once(facts: readonly ClearFact[]): void {
  const keysOf = (type: string): string[] => itemsOf(facts, type).map(({ key }) => key);
  assert.is(keysOf('job.completed').length, 1);
  assert.equal(keysOf('step.settled').toSorted(), keysOf('step.requested').toSorted());
  assert.is(new Set(keysOf('artifact.written')).size, keysOf('artifact.written').length);
}

/** One usage row a step, once the projection has caught up. */
async function usageMatches(url: string, jobs: readonly string[], facts: readonly ClearFact[]): Promise<void> {
  const steps = new Set(
    facts
      .filter(({ stream }) => jobs.includes(stream))
      .flatMap(({ stream, items }) =>
        items.flatMap((item) =>
          item.type === 'step.settled' ? [`${stream} ${item.body.agent}-${item.body.step}`] : [],
        ),
      ),
  );
  const spent = facts
    .filter(({ stream }) => jobs.includes(stream))
    .flatMap(({ items }) => items)
    .reduce((sum, item) => (item.type === 'step.settled' ? sum + item.body.cost_micros : sum), 0);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const query = `select job, key, cost_micros from billing.usage where kind = 'step' and job = any($1)`;
    for (const end = Date.now() + 60_000; ; await sleep(200)) {
      const { rows } = await client.query<{ job: string; key: string; cost_micros: string }>(query, [jobs]);
      const counted = rows.reduce((sum, row) => sum + Number(row.cost_micros), 0);
      if ((rows.length < steps.size || counted < spent) && Date.now() < end) continue;
      assert.equal(rows.map(({ job, key }) => `${job} ${key}`).toSorted(), [...steps].toSorted());
      assert.is(counted, spent);
      return;
    }
  } finally {
    await client.end();
  }
}

test.run();
