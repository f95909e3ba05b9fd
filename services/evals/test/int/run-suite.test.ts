import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { client, runSuite, start } from '@loom/evals';
import type { Suite } from '@loom/evals';
import type { Log } from '@loom/log';
import { openPool } from '@loom/projection';
import { Secret } from '@loom/service';
import { postgresDatabase } from '@loom/test';
import { all, passwordOf, world } from '../../../../packages/log/test/world.ts';
import type { World } from '../../../../packages/log/test/world.ts';
import { api, token } from './api.ts';
import type { Api } from './api.ts';

const report = 'final/report.md';

const suite: Suite = {
  name: 'tiny',
  patience_s: 20,
  cases: [
    {
      name: 'csv',
      brief: 'How many rows?',
      attachments: [{ name: 'a.csv', media_type: 'text/csv', content: 'x\n1\n2\n' }],
      checks: [{ kind: 'contains', file: report, text: '2 rows' }],
    },
    {
      name: 'none',
      brief: 'Nothing',
      attachments: [],
      checks: [{ kind: 'contains', file: report, text: 'never there' }],
    },
  ],
};

let nats: World;
let log: Log;

test.before(async () => {
  nats = await world();
  log = await nats.log('evals');
});
test.after(async () => {
  await nats[Symbol.asyncDispose]();
});

const parts = (gateway: Api, run: string, secret = token) => ({
  client: client({ url: gateway.url, token: new Secret(secret) }),
  log,
  run,
  signal: new AbortController().signal,
  pollMs: 5,
});

const recorded = async (run: string) => {
  const facts = await all(log.readClear({ tenant: '_', stream: 'system' }));
  const items = facts.flatMap((fact) => fact.items);
  return items.flatMap((item) => (item.type === 'suite.ran' && item.key.endsWith(run) ? [item.body] : []));
};

test('a suite is submitted with its files, waited for, scored from the artifacts and recorded', async () => {
  await using gateway = await api(
    (submitted) => `counted: ${(submitted.attachments?.length ?? 0) ? '2 rows' : 'none'}`,
  );
  const score = await runSuite(parts(gateway, 'r1'), suite);
  assert.equal([score.passed, score.score_ppm], [1, 500_000]);
  const [body] = await recorded('r1');
  assert.equal(
    [body?.suite, body?.cases, body?.passed, body?.score_ppm, body?.jobs.length],
    ['tiny', 2, 1, 500_000, 2],
  );
  const sent = [...gateway.jobs.values()][0]?.attachments?.[0];
  assert.is(Buffer.from(sent?.content_base64 ?? '', 'base64').toString(), 'x\n1\n2\n');
});

test('the same run begun again meets the same jobs and is recorded once', async () => {
  await using gateway = await api(() => '2 rows');
  await runSuite(parts(gateway, 'r2'), suite);
  await runSuite(parts(gateway, 'r2'), suite);
  assert.is(gateway.jobs.size, 2);
  assert.is((await recorded('r2')).length, 1);
});

test('a job that does not end in time is cancelled, scores nothing and does not stop the others', async () => {
  await using gateway = await api((submitted) => (submitted.brief === 'Nothing' ? 'never there' : null), 0);
  const score = await runSuite(parts(gateway, 'r3'), { ...suite, patience_s: 1 });
  assert.equal(
    score.cases.map((one) => one.status),
    ['timed_out', 'completed'],
  );
  assert.is(gateway.cancelled.length, 1);
});

test('a gateway that refuses every case leaves no score behind', async () => {
  await using gateway = await api(() => '');
  const code = await runSuite(parts(gateway, 'r4', 'wrong'), suite).then(
    () => 'scored',
    (cause: { code: string }) => cause.code,
  );
  assert.is(code, 'not_ready');
  assert.equal(await recorded('r4'), []);
});

test('given gateway, token and interval the service runs its suites on schedule and keeps their scores in its table', async () => {
  await using database = await postgresDatabase();
  await using gateway = await api(
    () => 'AI made this from readings.csv and stock.tsv: 40 rows, reading 97.4; nuts 340',
  );
  const url = await database.migrate('evals');
  const running = await start({
    LOOM_NATS_URL: nats.url,
    LOOM_NATS_PASSWORD: passwordOf('evals'),
    LOOM_PG_URL: url,
    LOOM_GATEWAY_URL: gateway.url,
    LOOM_EVALS_TOKEN: token,
    LOOM_EVALS_MINUTES: '1440',
  });
  const pool = openPool(url, 'test');
  const scores = () =>
    pool.query<{ score_ppm: number }>("select score_ppm from evals.suite_run where suite = 'profile'");
  while ((await scores()).rowCount === 0) await sleep(50);
  assert.equal((await scores()).rows, [{ score_ppm: 1_000_000 }]);
  await pool.end();
  await running.stop();
});

test.run();
