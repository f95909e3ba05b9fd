/** The checker on a system that did real work: a clean one is clean, from outside and inside; a row that was touched is found. */
import { checkAll, decideAgain, type Stack } from '@loom/cli';
import { natsBlobs } from '@loom/blobs';
import { connectLog, type Log } from '@loom/log';
import { clientOf, stack } from '@loom/test';
import { openVault } from '@loom/vault';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../emulators/anthropic.ts';
import type { Emulator } from '../emulators/script.ts';
import { swarmScript } from '../emulators/swarm-script.ts';

interface Context {
  model: Emulator;
  system: Stack;
  log: Log;
}
const test = suite<Context>('check');
const root = new URL('../../', import.meta.url);

test.before(async (context) => {
  context.model = await anthropicEmulator({ script: swarmScript });
  const env = { ANTHROPIC_BASE_URL: context.model.url, ANTHROPIC_API_KEY: 'test' };
  context.system = await stack({ env });
  const client = clientOf(context.system);
  const csv = await readFile(new URL('examples/debian-packages.csv', root));
  const job = await client.ended(await client.submit('Profile the file.', { 'debian-packages.csv': csv }));
  assert.is(job.status, 'completed');
  const { natsUrl, home } = context.system;
  context.log = await connectLog({
    servers: natsUrl,
    user: 'operator',
    password: context.system.environment('operator')['LOOM_NATS_PASSWORD'] ?? '',
    source: 'operator',
    vault: (connection) => openVault({ connection, rootKeyFile: join(home, 'keys', 'root.key') }),
    blobs: (connection) => natsBlobs({ connection }),
  });
});
test.after(async ({ log, system, model }) => {
  await log[Symbol.asyncDispose]();
  await system[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

test('a real job leaves a log, books and projections that hold', async ({ log, system, model }) => {
  const options = { decide: decideAgain, ledgers: { models: model.ledger }, kills: 0 };
  const report = await checkAll(log, options, system.postgresUrl);
  assert.equal(report.findings, []);
  assert.is(report.open, 0);
  assert.ok(report.rederived > 10, `${report.rederived} decisions derived anew`);
  assert.equal(report.skipped, []);
});

test('./loom check says so, and puts on record that it opened content', async ({ log, system }) => {
  const launcher = new URL('cli/src/main.ts', root).pathname;
  const env = { ...process.env, LOOM_HOME: system.home };
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, 'check', '--decide', '--json'], { env });
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { ok: boolean; jobs: number };
  assert.is(last.ok, true);
  assert.is(last.jobs, 1);
  const acts = await Array.fromAsync(log.readClear({ tenant: '_', stream: 'system' }));
  assert.ok(
    acts.some(({ said }) => said?.type === 'request.recorded' && said.body.request.action === 'loom check --decide'),
  );
});

test('rows that were touched, taken or added are found', async ({ log, system }) => {
  const client = new pg.Client({ connectionString: system.postgresUrl });
  await client.connect();
  try {
    await client.query(`update billing.usage set cost_micros = cost_micros + 1 where key = 'a0-1'`);
    await client.query(`delete from audit.audit_log where seq = (select min(seq) from audit.audit_log)`);
    await client.query(`update gateway.jobs set spent_micros = 0`);
  } finally {
    await client.end();
  }
  const { findings } = await checkAll(log, { decide: decideAgain }, system.postgresUrl);
  const told = findings.map(({ subject, message }) => `${subject.split(' ')[0]} ${message.split(':')[0]}`);
  assert.ok(told.includes('billing.usage it holds a row that a rebuild does not'), told.join('\n'));
  assert.ok(told.includes('billing.usage it lacks a row that a rebuild makes'));
  assert.ok(told.includes('audit.audit_log it lacks a row that a rebuild makes'));
  assert.ok(told.some((line) => line.startsWith('gateway.jobs it is {"tenant"')));
});

test.run();
