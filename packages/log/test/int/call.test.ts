import { callSealer, openCallKey } from '@loom/vault';
import { natsBlobs } from '@loom/blobs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectLog } from '../../src/index.ts';
import type { Draft, Log } from '../../src/index.ts';
import { all, failing, fence, job, passwordOf, run, until, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  orchestrator: Log;
  sandbox: Log;
}
const test = suite<Context>('calls');

test.before(async (context) => {
  const own = (context.world = await world());
  context.orchestrator = await own.log('orchestrator');
  context.sandbox = await connectLog({
    servers: own.url,
    user: 'sandbox',
    password: passwordOf('sandbox'),
    source: 'sandbox',
    blobs: (connection) => natsBlobs({ connection }),
    callKeys: async (sealed, place, key) => callSealer(await openCallKey(own.poolPrivateKey, sealed, place), { key }),
  });
});
test.after(async (context) => {
  await context.sandbox[Symbol.asyncDispose]();
  await context.world[Symbol.asyncDispose]();
});

const settled = (key: string, result: string): Draft => ({
  type: 'tool.settled',
  key,
  body: {
    agent: 'a1',
    step: 1,
    call: 0,
    attempt: 1,
    tool: 'run_code',
    outcome: 'completed',
    code: '',
    cost_micros: 0,
    latency_ms: 5,
    exit_code: 0,
    input_hmac: Buffer.alloc(32),
    result,
    files: [],
  },
});

test('the sandbox opens what a call brings, answers under its key, and whoever holds the content key reads it', async ({
  orchestrator,
  sandbox,
}) => {
  const at = job();
  const big = 'z'.repeat(200_000);
  const decided = await orchestrator.decide(at, [run('a1-1-0-1', 'first'), run('a1-1-1-1', big)], fence(0, 0));
  const stop = new AbortController();
  const opened = new Map<string, string>();
  const consuming = sandbox.consume({
    service: 'sandbox',
    open: true,
    width: 2,
    signal: stop.signal,
    handle: async ({ said, key }) => {
      if (said?.type !== 'run.requested') return;
      opened.set(key, said.body.args);
      assert.ok((await sandbox.append(at, settled(key, `answer ${key}`))).won);
      assert.ok((await sandbox.append(at, settled(key, `answer ${key}`))).won);
    },
  });
  for (const key of ['a1-1-0-1', 'a1-1-1-1'])
    await orchestrator.dispatch(at, { seq: decided!.seq, type: 'run.requested', key });
  await until(() => opened.size === 2);
  stop.abort();
  await consuming;
  assert.equal([opened.get('a1-1-0-1'), opened.get('a1-1-1-1')], ['first', big]);
  const results = (await all(orchestrator.read(at))).flatMap(({ said }) =>
    said?.type === 'tool.settled' ? [said.body.result] : [],
  );
  assert.equal(results.toSorted(), ['answer a1-1-0-1', 'answer a1-1-1-1']);
});

test('the sandbox seals nothing for a call that it was not handed', async ({ sandbox }) => {
  assert.is(await failing(sandbox.append(job(), settled('a1-1-0-1', 'x'))), 'bad_seal');
});

test('the orchestrator settles a lost call in its slot, under its own name', async ({ orchestrator }) => {
  const at = job();
  const slot = settled('a1-1-0-1', 'It was lost.');
  assert.ok((await orchestrator.append(at, slot, { source: 'sandbox' })).won);
  const [fact] = await all(orchestrator.read(at));
  assert.equal([fact!.source, fact!.writer], ['sandbox', 'orchestrator']);
  assert.is(fact!.said?.type === 'tool.settled' && fact!.said.body.result, 'It was lost.');
});

test.run();
