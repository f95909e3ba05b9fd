import { natsServer } from '@loom/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectLog, setUpLog } from '../../src/index.ts';
import { all, epoch, fence, job, shortly, until } from '../world.ts';

test('appends, consumers and fences go through a kill -9 of the server: nothing acknowledged is lost, nothing is twice', async () => {
  await using own = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'loom-crash-'));
  own.defer(() => rm(dir, { recursive: true, force: true }));
  const first = await natsServer({ dir });
  const options = { servers: first.url, user: '', password: '', source: 'orchestrator' } as const;
  await setUpLog({ ...options, ...shortly });
  await using log = await connectLog(options);
  const at = job();
  const stop = new AbortController();
  const handled = new Set<string>();
  const handle = async ({ key }: { key: string }): Promise<void> => void handled.add(key);
  const consuming = log.consume({ service: 'orchestrator', open: false, width: 8, signal: stop.signal, handle });
  const halfway = Promise.withResolvers<void>();
  let stored = 0;
  const writing = Promise.all(Array.from({ length: 60 }, (_, i) => writeOne(i)));
  async function writeOne(i: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, i * 4));
    const { seq } = await log.append(at, epoch(`e${i}`));
    if (++stored === 25) halfway.resolve();
    return seq;
  }
  await halfway.promise;
  await first.kill();
  await using _ = await natsServer({ dir, port: first.port });
  const acknowledged = await writing;
  const facts = await all(log.readClear(at));
  assert.is(facts.length, 60);
  assert.equal(
    facts.map(({ seq }) => seq).toSorted((a, b) => a - b),
    acknowledged.toSorted((a, b) => a - b),
  );
  const decided = await log.decide(at, [epoch('d1'), epoch('d2')], fence(60, Math.max(...acknowledged)));
  assert.ok(decided);
  await log.append(at, { type: 'timer.fired', key: 'step-x', body: { kind: 'step', due: 1 } }, { source: 'timer' });
  await until(() => handled.has('step-x'));
  stop.abort();
  await consuming;
});

test.run();
