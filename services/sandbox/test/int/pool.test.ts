import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../src/domain/limits.ts';
import { connectDocker, SandboxUnavailable } from '../../src/engine/docker.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { openPool } from '../../src/engine/pool.ts';
import { labels, reap } from '../../src/engine/reaper.ts';
import { runCode } from '../../src/engine/run.ts';
import { engine, left } from '../engine.ts';

const sandbox = await engine();
const { docker, settings } = sandbox;
const call = { language: 'python', code: 'import pandas, sys; print(pandas.__name__)', files: null } as const;
const kill = new AbortController().signal;
const quiet = { warn: () => {} };

test('a waiting container serves one call and is replaced', async () => {
  const own = { ...settings, pool: `${settings.pool}-warm` };
  await using pool = openPool(docker, own, 1, labels(own.pool));
  await pool.settled();
  assert.is(pool.waiting(), 1);
  const [first] = await left(docker, own.pool);
  const run = await runCode(call, [], { pool, limits, kill });
  assert.is(Buffer.from(run.stdout).toString(), 'pandas\n');
  await pool.settled();
  assert.is(pool.waiting(), 1);
  while (pool.alive().has(first ?? '')) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await left(docker, own.pool)).length, 1);
});

test('a waiting container that someone removed is never handed out', async () => {
  const own = { ...settings, pool: `${settings.pool}-gone` };
  await using pool = openPool(docker, own, 1, labels(own.pool));
  await pool.settled();
  const [id] = await left(docker, own.pool);
  await docker.getContainer(id ?? '').remove({ force: true });
  while (pool.waiting() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const run = await runCode({ ...call, language: 'node', code: 'console.log(1)' }, [], { pool, limits, kill });
  assert.is(Buffer.from(run.stdout).toString(), '1\n');
});

test('a container that is still being made when its pool closes is removed as well', async () => {
  const own = { ...settings, pool: `${settings.pool}-late` };
  const pool = openPool(docker, own, 0, labels(own.pool));
  const taking = pool.take();
  await pool[Symbol.asyncDispose]();
  await taking;
  assert.equal(await left(docker, own.pool), []);
});

test('a closed pool leaves nothing in the engine', async () => {
  for (const name of ['warm', 'gone']) assert.equal(await left(docker, `${settings.pool}-${name}`), []);
});

test('containers of a process that was killed end by themselves and are reaped at the next start', async () => {
  const pool = `${settings.pool}-dead`;
  const file = new URL('../holder.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file, pool, settings.image], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    const held = await left(docker, pool);
    assert.is(held.length, 1);
    await reap(docker, pool, new Set());
    assert.equal(await left(docker, pool), held, 'its owner lives');
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'exit');
  await using next = await openEngine({ ...settings, pool, poolSize: 0 }, quiet);
  assert.equal(await left(docker, pool), []);
  assert.is(next.pool.waiting(), 0);
});

test('without an engine, and without the image, the call says what is missing', async () => {
  const nowhere = { ...settings, socket: '/nonexistent/docker.sock' };
  await using none = await openEngine({ ...nowhere, poolSize: 1 }, quiet);
  const failure = await runCode(call, [], { pool: none.pool, limits, kill }).catch((cause: unknown) => cause);
  assert.instance(failure, SandboxUnavailable);
  assert.match((failure as Error).message, 'No Docker engine answers at /nonexistent/docker.sock');
  await using imageless = openPool(
    connectDocker(settings.socket),
    { ...settings, image: 'loom-sandbox:absent' },
    0,
    {},
  );
  const missing = await runCode(call, [], { pool: imageless, limits, kill }).catch((cause: unknown) => cause);
  assert.match((missing as Error).message, 'image loom-sandbox:absent is not there');
});

test('an engine that takes connections and never answers costs a call its wall clock and no more', async () => {
  const path = join(tmpdir(), `loom-stalled-${process.pid}.sock`);
  const taken: Socket[] = [];
  const stalled = createServer((socket) => void taken.push(socket)).listen(path);
  await once(stalled, 'listening');
  const pool = openPool(connectDocker(path), { ...settings, socket: path }, 0, {});
  const run = await runCode(call, [], { pool, limits: { ...limits, wallClockMs: 300 }, kill });
  assert.is(run.ending.kind, 'timeout');
  for (const socket of taken) socket.destroy();
  stalled.close();
});

test.after(() => sandbox[Symbol.asyncDispose]());
test.run();
