/** The evaluation suite runs against the live system on its schedule, and its score is a fact and a row. */
import { allFacts, stack } from '@loom/test';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('the synthetic suite is submitted as a client would, scored, and recorded once', async () => {
  await using system = await stack({ env: { LOOM_EVALS_MINUTES: '1440' } });
  const ran = async () =>
    (await allFacts(system))
      .flatMap(({ items }) => items)
      .flatMap((item) => (item.type === 'suite.ran' ? [item.body] : []));
  let scores = await ran();
  for (const end = Date.now() + 60_000; scores.length === 0 && Date.now() < end; scores = await ran()) await sleep(250);
  assert.is(scores.length, 1);
  const [score] = scores;
  assert.equal([score?.suite, score?.passed, score?.score_ppm], ['profile', score?.cases, 1_000_000]);
  assert.ok((score?.cases ?? 0) >= 2);
  const facts = await allFacts(system);
  for (const job of score?.jobs ?? [])
    assert.ok(
      facts.some(({ stream, type }) => stream === job && type === 'job.completed'),
      `${job} ran in the live system`,
    );
  assert.is(await rows(system.postgresUrl), 1);
});

/** Rows of the suite's runs, once the projection has caught up. */
async function rows(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const end = Date.now() + 10_000; ; await sleep(100)) {
      const { rows: found } = await client.query('select 1 from evals.suite_run where score_ppm = 1000000');
      if (found.length > 0 || Date.now() > end) return found.length;
    }
  } finally {
    await client.end();
  }
}

test.run();
