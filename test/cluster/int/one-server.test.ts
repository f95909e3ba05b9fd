/** kill -9 of the only server while facts are appended. */
import { lastingPorts } from '@loom/cli';
import { connectLog, setUpLog } from '@loom/log';
import { natsServer } from '@loom/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { everything, faultsOf, job, publishing } from '../world.ts';

const kills = process.env['LOOM_NIGHTLY'] === '1' ? 100 : 10;

test(`nothing acknowledged is lost or stored twice when the only server is killed while facts are appended, ${kills} times`, async () => {
  await using owned = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'loom-one-'));
  owned.defer(() => rm(dir, { recursive: true, force: true }));
  const [port = 0] = await lastingPorts(1);
  let server = await natsServer({ dir, port });
  owned.defer(async () => server[Symbol.asyncDispose]());
  const options = { servers: server.url, user: '', password: '', source: 'orchestrator' } as const;
  await setUpLog(options);
  const logs = [owned.use(await connectLog(options)), owned.use(await connectLog(options))];
  const published = publishing(logs, Array.from({ length: 16 }, job), 0);
  for (let kill = 0; kill < kills; kill++) {
    await sleep(200 + Math.random() * 300);
    const before = published.acked.length;
    process.kill(server.pid, 'SIGKILL');
    await server[Symbol.asyncDispose]();
    server = await natsServer({ dir, port });
    while (published.acked.length === before) await sleep(10);
  }
  await published.stop();
  assert.equal(faultsOf(await everything(logs[0]!), published), []);
  assert.equal(published.unknown, []);
  for (const { at, draft, seq } of published.acked.filter((_, i) => i % 50 === 0))
    assert.equal(await logs[1]!.append(at, draft), { seq, won: true }, 'the same append again is the same fact');
  console.log(`${published.acked.length} acknowledged over ${kills} kills`);
});

test.run();
