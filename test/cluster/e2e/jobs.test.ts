/** Real jobs on a whole clustered Loom while the servers that lead its streams are killed. */
import { checkLog } from '@loom/check';
import { decideAgain } from '@loom/cli';
import { connectLog, streamOf, type Log } from '@loom/log';
import { clientOf, stack, type Stack } from '@loom/test';
import { openVault } from '@loom/vault';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../../emulators/anthropic.ts';
import { notesScript } from '../script.ts';

const kills = process.env['LOOM_NIGHTLY'] === '1' ? 20 : 3;

/** The whole log, opened as the operator may. */
function openLog(system: Stack): Promise<Log> {
  const rootKeyFile = system.environment('orchestrator')['LOOM_ROOT_KEY_FILE'] ?? '';
  return connectLog({
    servers: system.natsUrl,
    streams: system.state().streams,
    user: 'operator',
    password: system.environment('operator')['LOOM_NATS_PASSWORD'] ?? '',
    source: 'operator',
    vault: (connection) => openVault({ connection, rootKeyFile }),
  });
}

/** kill -9 of the server that leads a job's stream; it comes back once the others have a leader. */
async function killLeaderOf(system: Stack, id: string): Promise<void> {
  const { cluster } = system;
  const stream = streamOf({ tenant: '', stream: id }, system.state().streams);
  const name = (await cluster!.leaderOf(stream)) ?? 'nats-1';
  const killed = performance.now();
  await system.kill(name);
  while ((await cluster!.leaderOf(stream)) === null) await sleep(50);
  console.log(`${name} killed, ${stream} led again after ${Math.round(performance.now() - killed)} ms`);
  await system.restart(name);
  await cluster!.settled();
}

test(`every job ends while the leader of its stream is killed under load, ${kills} times`, async () => {
  await using model = await anthropicEmulator({ script: notesScript });
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test', LOOM_SWEEP_MS: '2000' };
  const replicas = { orchestrator: 2, 'agent-runner': 2, gateway: 2, sandbox: 0, evals: 0 };
  await using system = await stack({ cluster: 3, split: true, sandbox: false, replicas, ackWait: 5000, env });
  const client = clientOf(system);
  const jobs: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    for (let i = 0; i < 4; i++) jobs.push(await client.submit(`Write notes, ${kill} of ${i}.`));
    await sleep(300 + Math.random() * 700);
    await killLeaderOf(system, jobs.at(-1)!);
  }
  for (const id of jobs) {
    const job = await client.ended(id);
    assert.is(job.status, 'completed', `${id}: ${JSON.stringify(job.failure)}`);
    assert.is(job.artifacts.length, 13);
  }
  await using log = await openLog(system);
  const report = await checkLog(log, { ledgers: { models: model.ledger }, kills, decide: decideAgain });
  assert.equal(report.findings, []);
  assert.is(report.jobs, jobs.length);
  console.log(`${report.facts} facts, ${report.jobs} jobs, ${report.rederived} decisions derived anew`);
});

test.run();
