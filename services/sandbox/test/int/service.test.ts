import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectDocker } from '../../src/engine/docker.ts';
import { start } from '../../src/index.ts';
import { steady } from '@loom/test';
import type { Address } from '@loom/log';
import { shortly } from '../../../../packages/log/test/world.ts';
import { left, socket } from '../engine.ts';
import { job, kill, run, settled, world, written } from '../world.ts';

const { orchestrator, gateway, blobs, env, pool, ackWait, [Symbol.asyncDispose]: dispose } = await world();
const docker = connectDocker(socket);
let service = await start(env);

const until = async (met: () => Promise<boolean>): Promise<void> => {
  while (!(await met())) await new Promise((resolve) => setTimeout(resolve, 20));
};

/** Asks for a run, and waits until its own container is there: one of the run before may still be going. */
async function begin(at: Address, code: string): Promise<void> {
  await until(async () => (await left(docker, pool)).length === 0);
  await orchestrator.append(at, run(code));
  await until(async () => (await left(docker, pool)).length > 0);
}

test('a run over an attachment is settled with its files, readable by who holds the content key', async () => {
  const at = job();
  const { object, size, sha256, dataKey } = await blobs.put(
    { tenant: at.tenant, job: at.stream },
    Buffer.from('a,b\n1,2\n'),
  );
  const inputs = [{ name: 'in.csv', media_type: 'text/csv', size, sha256, object, data_key: dataKey }];
  const code = `import os\nprint(open('in.csv').read())\nos.mkdir('final')\nopen('final/out.csv', 'w').write('c')`;
  await orchestrator.append(at, run(code, { inputs }));
  const body = await settled(orchestrator, at);
  assert.is(body.outcome, 'completed', body.result);
  assert.match(body.result, 'a,b\n1,2');
  assert.is(body.input_hmac.length, 32);
  const [out] = body.files;
  assert.equal([out?.path, out?.media_type, out?.size], ['final/out.csv', 'text/csv', 1]);
  assert.is((await blobs.get(out?.object ?? '', out?.data_key ?? Buffer.alloc(0))).toString(), 'c');
  assert.equal(
    (await written(orchestrator, at)).map(({ type }) => type),
    ['workspace.closed', 'tool.settled'],
  );
});

test('two runs of one decision are both settled', async () => {
  const at = job();
  const drafts = [run('print(1)', {}, 'a1-1-0-1'), run('print(2)', { call: 1 }, 'a1-1-1-1')];
  const decision = await orchestrator.decide(at, drafts, { seq: 0, orchestratorSeq: 0, chain: '' });
  for (const { type, key } of drafts) await orchestrator.dispatch(at, { seq: decision?.seq ?? 0, type, key });
  assert.match((await settled(orchestrator, at, 'a1-1-0-1')).result, '--- stdout\n1\n');
  assert.match((await settled(orchestrator, at, 'a1-1-1-1')).result, '--- stdout\n2\n');
});

test('bad arguments, an unknown file and an unknown tool settle as failed, in words for the model', async () => {
  const cases = [
    [{ args: '{"language":"cobol"}' }, 'Unknown language'],
    [{ args: '{"language":"python","code":"1","files":["nope.csv"]}' }, 'Unknown file: nope.csv'],
    [{ tool: 'fetch_url' }, 'no tool fetch_url'],
  ] as const;
  for (const [body, words] of cases) {
    const at = job();
    await orchestrator.append(at, run('1', body));
    const { outcome, code, result } = await settled(orchestrator, at);
    assert.equal([outcome, code], ['failed', 'bad_arguments']);
    assert.match(result, words);
  }
});

test('a kill stops a run at once, and one from before lets nothing run', async () => {
  const at = job();
  await begin(at, 'import time; time.sleep(25)');
  await gateway.append(at, kill('a1'));
  const body = await settled(orchestrator, at);
  assert.equal([body.outcome, body.code], ['refused', 'killed']);
  const early = job();
  await gateway.append(early, kill('0'));
  await orchestrator.append(early, run('print(1)'));
  assert.is((await settled(orchestrator, early)).code, 'killed');
  assert.equal(
    (await written(orchestrator, early)).map(({ type }) => type),
    ['tool.settled'],
  );
});

test('a raised epoch lets an older run not begin', async () => {
  const at = job();
  await orchestrator.append(at, { type: 'epoch.raised', key: '1', body: { epoch: 1, reason: 'killed' } });
  await orchestrator.append(at, run('print(1)'));
  assert.is((await settled(orchestrator, at)).code, 'killed');
});

test('a paid run is claimed first, and one past its deadline is settled as lost at its reservation', async () => {
  const at = job();
  await orchestrator.append(at, run('print(1)', { reserved_micros: 5 }));
  assert.is((await settled(orchestrator, at)).outcome, 'completed');
  assert.equal(
    (await written(orchestrator, at)).map(({ type }) => type),
    ['tool.claimed', 'workspace.closed', 'tool.settled'],
  );
  const late = job();
  await orchestrator.append(late, run('print(1)', { reserved_micros: 5, deadline_ms: -60_000 }));
  const { outcome, cost_micros } = await settled(orchestrator, late);
  assert.equal([outcome, cost_micros], ['lost', 5]);
});

test('a run whose slot was settled meanwhile is on record as called', async () => {
  const lost = {
    agent: 'a1',
    step: 1,
    call: 0,
    attempt: 1,
    tool: 'run_code',
    outcome: 'lost',
    code: 'deadline',
  } as const;
  const body = {
    ...lost,
    cost_micros: 0,
    latency_ms: 0,
    exit_code: null,
    input_hmac: Buffer.alloc(0),
    result: '',
    files: [],
  };
  const settle = (at: Address) =>
    orchestrator.append(at, { type: 'tool.settled', key: 'a1-1-0-1', body }, { source: 'sandbox' });
  let at: Address;
  do {
    at = job();
    await begin(at, 'import time; time.sleep(1)');
    // One that ended first tells nothing.
  } while (!(await settle(at)).won);
  await until(async () => (await written(orchestrator, at)).some(({ type }) => type === 'tool.called'));
  assert.is((await settled(orchestrator, at)).outcome, 'lost');
});

test('health, readiness and metrics are served', async () => {
  const get = (path: string) => fetch(`http://127.0.0.1:${service.port}${path}`);
  assert.is((await get('/healthz')).status, 200);
  assert.equal(((await (await get('/readyz')).json()) as { parts: unknown }).parts, { log: true, consumer: true });
  assert.match(await (await get('/metrics')).text(), 'loom_sandbox_calls');
});

test('a drain finishes the run in hand and leaves no container', async () => {
  const at = job();
  await begin(at, 'import time; time.sleep(1); print(1)');
  await service.stop();
  assert.is((await settled(orchestrator, at)).outcome, 'completed');
  assert.equal(await left(docker, pool), []);
});

test('killed in the middle of a run and started again, the run is settled once and nothing is left over', async () => {
  await ackWait(2_000);
  const { outcome, types } = await steady(500, () => orchestrator.connection.flush(), takenOver);
  await ackWait(shortly.ackWait);
  assert.is(outcome, 'completed');
  assert.equal(types, ['workspace.closed', 'tool.settled']);
  assert.equal(await left(docker, pool), []);
});

/** What came of a run whose sandbox was killed, under another that was started then. */
async function takenOver(): Promise<{ readonly outcome: string; readonly types: readonly string[] }> {
  const at = job();
  const first = child();
  await once(first.stdout!, 'data');
  await begin(at, 'import time; time.sleep(2); print(1)');
  first.kill('SIGKILL');
  await once(first, 'exit');
  service = await start(env);
  const { outcome } = await settled(orchestrator, at);
  const types = (await written(orchestrator, at)).map(({ type }) => type);
  await service.stop();
  return { outcome, types };
}

test('without an engine the call is settled, and says what to do', async () => {
  const at = job();
  service = await start({ ...env, LOOM_DOCKER_SOCKET: '/nonexistent/docker.sock' });
  await orchestrator.append(at, run('print(1)'));
  const { outcome, code, result } = await settled(orchestrator, at);
  assert.equal([outcome, code], ['failed', 'sandbox_unavailable']);
  assert.match(result, 'Start Docker');
  await service.stop();
});

function child(): ChildProcess {
  const file = new URL('../../src/main.ts', import.meta.url).pathname;
  return spawn(process.execPath, [file], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
}

test.after(dispose);
test.run();
