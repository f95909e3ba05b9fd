/** The evaluation suite runs against the live system on its schedule, and its score is a fact and a row. */
import type { Bodies } from '@loom/schemas';
import { allFacts, stack } from '@loom/test';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

type Score = Bodies['suite.ran'];

/** The suite's score, once it is on the log. */
async function scoreOf(system: Awaited<ReturnType<typeof stack>>): Promise<Score> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(250)) {
    const items = (await allFacts(system)).flatMap((fact) => fact.items);
    for (const item of items) if (item.type === 'suite.ran') return item.body as Score;
  }
  throw new Error('no suite ran');
}

test('the synthetic suite is submitted as a client would, scored, and recorded once', async () => {
  await using system = await stack({ env: { LOOM_EVALS_MINUTES: '1440' } });
  const { suite, cases, passed, score_ppm, jobs } = await scoreOf(system);
  assert.equal([suite, passed, score_ppm], ['profile', cases, 1_000_000]);
  assert.ok(jobs.length >= 2);
  const facts = await allFacts(system);
  const completed = facts.filter(({ type }) => type === 'job.completed').map(({ stream }) => stream);
  assert.equal(completed.toSorted(), [...jobs].toSorted(), 'its jobs ran in the live system');
  assert.is(facts.filter(({ type }) => type === 'suite.ran').length, 1);
  assert.is(await rows(system.postgresUrl), 1);
});

/** Rows of the suite's runs, once the projection has caught up. */
async function rows(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const end = Date.now() + 60_000; ; await sleep(100)) {
      const { rows: found } = await client.query('select 1 from evals.suite_run where score_ppm = 1000000');
      if (found.length > 0 || Date.now() > end) return found.length;
    }
  } finally {
    await client.end();
  }
}

test.run();
