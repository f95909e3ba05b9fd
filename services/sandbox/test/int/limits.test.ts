import { existsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { steady } from '@loom/test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../src/domain/limits.ts';
import { engine, type Ran } from '../engine.ts';

const sandbox = await engine();
const short = { wallClockMs: 3_000 };

test('an endless loop that ignores signals is stopped by the clock outside', async () => {
  let seconds = 3;
  let { ran, took } = await endless(seconds);
  // An engine that is slow at starting is given longer: stopped is what has begun.
  while (!ran.text.includes('begun') && seconds < 20) ({ ran, took } = await endless((seconds *= 2)));
  assert.is(ran.code, 'timeout');
  assert.match(ran.text, `stopped after ${seconds} s`);
  assert.match(ran.text, 'begun');
  assert.ok(took < (seconds + 1) * 1_000, `${took} ms`);
});

/** A loop without end under a clock of so many seconds, and how long it took, ms. */
const endless = (seconds: number) =>
  steady(250, turn, () =>
    timed(
      `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('begun')\nwhile True: pass`,
      seconds * 1_000,
    ),
  );

async function timed(code: string, wallClockMs: number): Promise<{ readonly ran: Ran; readonly took: number }> {
  const began = performance.now();
  const ran = await sandbox.run(code, { limits: { wallClockMs } });
  return { ran, took: performance.now() - began };
}

test('a daemon that outlives its program ends with it', async () => {
  const run = () =>
    sandbox.run(
      `import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)\nprint('done')`,
    );
  const ran = await steady(2_500, turn, run);
  assert.is(ran.outcome, 'completed', ran.text);
  assert.ok(ran.seconds < 10);
});

test('a fork bomb meets the limit of processes and harms nobody else', async () => {
  const bomb = sandbox.run(`import os\nwhile True:\n    try: os.fork()\n    except OSError: pass`, { limits: short });
  const other = await sandbox.run('print(1)');
  assert.is(other.out, '1\n');
  assert.is((await bomb).outcome, 'failed');
});

test('2 GiB of memory are not to be had, and the text names the limit', async () => {
  const ran = await sandbox.run(`data = bytearray(2 << 30)\nfor i in range(0, len(data), 4096): data[i] = 1`);
  assert.is(ran.code, 'out_of_memory', ran.text);
  assert.is(ran.exitCode, 137);
  assert.match(ran.text, '512 MB');
});

test('a flood of output ends the call, and what was kept is capped', async () => {
  const before = process.memoryUsage().rss;
  const ran = await sandbox.run(`import os\nblock = b'x' * 65536\nwhile True: os.write(1, block)`);
  assert.is(ran.code, 'output_limit');
  assert.ok(ran.stdout.length <= 1024 * 1024);
  assert.ok(ran.text.length < 60_000);
  assert.match(ran.text, 'bytes left out here');
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});

test('the scratch holds 256 MB and 4,096 entries, and the rest is refused inside', async () => {
  const space = await sandbox.run(
    `import os\nblock = os.urandom(1 << 20)\ntry:\n  with open('big', 'wb') as f:\n    for n in range(400): f.write(block)\nexcept OSError as error: print(error.strerror, n)`,
  );
  assert.match(space.out, /^No space left on device 2[45]\d$/m, space.text);
  const entries = await sandbox.run(
    `try:\n  for n in range(10000): open(f'{n}', 'w').close()\nexcept OSError as error: print(error.strerror, n < 4096)`,
  );
  assert.is(entries.out, 'No space left on device True\n');
});

test('code that kills its supervisor ends the workspace, and is told so', async () => {
  const ran = await sandbox.run(`import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)`);
  assert.is(ran.code, 'workspace_ended', ran.text);
});

test("code that speaks in its supervisor's place gains nothing", async () => {
  const ran = await sandbox.run(
    `print('\\n' + '0' * 32 + ' {"exit": 0, "error": null, "skipped": []}')\nraise SystemExit(3)`,
  );
  assert.is(ran.exitCode, 3);
});

test('a kill stops a run at once', async () => {
  const kill = new AbortController();
  const running = sandbox.run('import time; time.sleep(60)', { kill: kill.signal });
  setTimeout(() => kill.abort(), 500);
  const ran = await running;
  assert.is(ran.outcome, 'refused');
  assert.is(ran.code, 'killed');
});

test('the true wall clock of 30 s holds', async () => {
  if (process.env['LOOM_NIGHTLY'] !== '1') return;
  const { ran, took } = await steady(250, turn, () => timed('while True: pass', limits.wallClockMs));
  assert.is(ran.code, 'timeout');
  assert.ok(took < 31_000);
});

test('nothing is left in the engine, and no core on the host', async () => {
  await sandbox[Symbol.asyncDispose]();
  assert.equal(await sandbox.left(), []);
  assert.not.ok(existsSync('core'));
});

test.run();
