/** `./loom up --cluster 3` as a user runs it. */
import { Gateway } from '@loom/cli';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const run = promisify(execFile);
const loom = new URL('../../../loom', import.meta.url).pathname;

interface Up extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly token: string;
  readonly pids: Readonly<Record<string, number>>;
}

/** Runs it until it says that it is up. Dispose is `./loom down`, and waits for its end. */
async function up(home: string): Promise<Up> {
  const env = { ...process.env, LOOM_HOME: home };
  const child = spawn(loom, ['up', '--cluster', '3', '--no-sandbox', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  assert.type(line, 'string', 'it ended before it was up');
  const dispose = async (): Promise<void> => {
    await run(loom, ['down'], { env });
    await ended;
  };
  return { ...(JSON.parse(String(line)) as Up), [Symbol.asyncDispose]: dispose };
}

async function ended(gateway: Gateway, id: string): Promise<Awaited<ReturnType<Gateway['job']>>> {
  for (const end = Date.now() + 120_000; ; await sleep(100)) {
    const job = await gateway.job(id).catch((cause: unknown) => {
      if (Date.now() > end) throw cause;
      return null;
    });
    if (job !== null && (job.status === 'completed' || Date.now() > end)) return job;
  }
}

test('a cluster is three servers and two of each service; its log and its database are there when it comes up again', async () => {
  const home = await mkdtemp(join(tmpdir(), 'loom-up-'));
  await chmod(home, 0o711); // Postgres runs as another user under root
  await using owned = new AsyncDisposableStack();
  owned.defer(() => rm(home, { recursive: true, force: true }));
  let id = '';
  {
    await using first = await up(home);
    assert.is(Object.keys(first.pids).filter((name) => name.startsWith('nats-')).length, 3);
    assert.is(new Set(Object.values(first.pids)).size, 3 + 1 + 2 * 8);
    const [one, other] = first.urls.map((url) => new Gateway({ url, token: async () => first.token }));
    id = (await one!.submit({ text: 'Count to three and write a report.', files: [] }, {})).id;
    assert.is((await ended(other!, id)).status, 'completed');
  }
  await using again = await up(home);
  const gateway = new Gateway({ url: again.urls[1] ?? '', token: async () => again.token });
  const job = await gateway.job(id);
  assert.is(job.status, 'completed');
  assert.ok(job.artifacts.some(({ path }) => path === 'final/report.md'));
});

test('it takes no other number of servers', async () => {
  const failure = await run(loom, ['up', '--cluster', '2']).catch((cause: unknown) => cause);
  assert.is((failure as { code?: number }).code, 2);
});

test.run();
