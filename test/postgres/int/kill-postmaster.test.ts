/** P-01: kill -9 of the postmaster under load. What was seen committed stays, the service finds back by itself, rows equal a rebuild. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate, roleUrl, setUpRoles, startPostgres, type Postgres } from '@loom/cli';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { billingWorld, counted, withClient } from '../world.ts';

const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 100 : 10;
const password = 'test';

test(`the postmaster is killed ${rounds} times under load: nothing committed is lost, nothing counted twice`, async () => {
  await using cleanup = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'loom-pg-'));
  cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  let server = await startPostgres({ dir, password });
  cleanup.defer(() => server[Symbol.asyncDispose]());
  const { url, port } = server;
  await setUpRoles(url, () => password);
  await migrate(url, 'billing');
  await using billing = await billingWorld(url, roleUrl(url, 'billing', password));
  let slowest = 0;
  for (let round = 0; round < rounds; round += 1) {
    const committed = await lastSeen(url, () => process.kill(server.pid, 'SIGKILL'));
    server = await restarted(dir, port);
    const began = Date.now();
    assert.ok((await withClient(url, counted)) >= committed, 'what was committed is there');
    await goesOn(url, billing.health);
    slowest = Math.max(slowest, Date.now() - began);
  }
  const { rows, attempts, wrong } = await billing.settle();
  console.log(`P-01: ${rounds} kills, back within ${slowest} ms at most; ${attempts} attempts counted, ${rows} rows`);
  assert.equal(wrong, []);
});

/** The largest count that a reader saw committed before `kill`, which comes after a random while. */
async function lastSeen(url: string, kill: () => void): Promise<number> {
  return withClient(url, async (client) => {
    let seen = 0;
    for (const end = Date.now() + 100 + Math.random() * 300; Date.now() < end;) seen = await counted(client);
    kill();
    return seen;
  });
}

/** On the same data and port. The dead postmaster's children hold its shared memory until they see that it is gone. @throws after half a minute */
async function restarted(dir: string, port: number): Promise<Postgres> {
  for (const end = Date.now() + 30_000; ; await sleep(100)) {
    try {
      return await startPostgres({ dir, password, port });
    } catch (cause) {
      if (Date.now() > end) throw cause;
    }
  }
}

/** Waits until every replica says that it is ready, and the rows grow. @throws after 15 s */
async function goesOn(url: string, health: readonly number[]): Promise<void> {
  await withClient(url, async (client) => {
    const before = await counted(client);
    for (const end = Date.now() + 15_000; ; await sleep(20)) {
      const answers = await Promise.all(health.map((port) => fetch(`http://127.0.0.1:${port}/readyz`)));
      if (answers.every(({ ok }) => ok) && (await counted(client)) > before) return;
      if (Date.now() > end) throw new Error('billing did not find back within 15 s');
    }
  });
}

test.run();
