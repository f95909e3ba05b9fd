/** kill -9 of each service in turn in the middle of a job: the job ends, and every fact, artifact and usage row is there once. */
import { allFacts, clientOf, stack, subjectOf } from '@loom/test';
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

test('each service is killed in the middle of a job and started again: everything is there once', async () => {
  await using model = await anthropicEmulator({ script: swarmScript });
  // Claims of a killed runner are given up after the step's deadline, so it is short here.
  const env = {
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'test',
    LOOM_STEP_DEADLINE_MS: '4000',
    LOOM_TOOL_DEADLINE_MS: '40000',
    LOOM_SWEEP_MS: '1000',
  };
  await using system = await stack({ split: true, env });
  const client = clientOf(system);
  const files = {
    'debian-packages.csv': await readFile(new URL('debian-packages.csv', examples)),
    'time-zones.tsv': await readFile(new URL('time-zones.tsv', examples)),
  };

  const jobs: string[] = [];
  for (const service of services) {
    const id = await client.submit('Profile both files and write a report.', files);
    jobs.push(id);
    await sleep(200 + Math.random() * 2_000);
    await system.kill(service);
    await system.restart(service);
  }
  for (const id of jobs) {
    const job = await client.ended(id, 150);
    assert.is(job.status, 'completed', `${id}: ${JSON.stringify(job.failure)}`);
    assert.is(new Set(job.artifacts.map(({ path }) => path)).size, job.artifacts.length);
    assert.match((await client.artifact(id, 'final/report.md')).toString(), /debian-packages\.csv: rows \| 6000 /);
  }

  const facts = await allFacts(system);
  const subjects = facts.map(subjectOf);
  assert.is(new Set(subjects).size, subjects.length, 'no fact is there twice');
  assert.not(
    facts.some(({ type }) => type === 'message.parked'),
    'nothing was parked',
  );
  for (const id of jobs) {
    const own = facts.filter(({ stream }) => stream === id);
    assert.is(itemsOf(own, 'job.completed').length, 1);
    const requested = itemsOf(own, 'step.requested').map(({ key }) => key);
    const settled = itemsOf(own, 'step.settled').map(({ key }) => key);
    assert.equal(settled.toSorted(), requested.toSorted(), 'every slot has one outcome');
    assert.is(
      new Set(itemsOf(own, 'artifact.written').map(({ key }) => key)).size,
      itemsOf(own, 'artifact.written').length,
    );
  }
  await usageMatches(system.postgresUrl, jobs, facts);
});

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
    for (const end = Date.now() + 15_000; ; await sleep(200)) {
      const { rows } = await client.query<{ job: string; key: string; cost_micros: string }>(query, [jobs]);
      if (rows.length < steps.size && Date.now() < end) continue;
      assert.equal(rows.map(({ job, key }) => `${job} ${key}`).toSorted(), [...steps].toSorted());
      assert.is(
        rows.reduce((sum, row) => sum + Number(row.cost_micros), 0),
        spent,
      );
      return;
    }
  } finally {
    await client.end();
  }
}

test.run();
