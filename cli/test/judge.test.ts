import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../src/root.ts';
import { isAlive } from '../src/stack/process.ts';
import { judgeCheck, judgeFile, type Verdict } from '../src/testing/judge.ts';
import { runCommand } from '../src/testing/run.ts';
import { cutOff } from './support/cut-off.ts';

const test = suite('judging test files');
const uvu = join(root, 'node_modules/uvu/dist/index.mjs');
const head = `import { test } from ${JSON.stringify(uvu)};\n`;
let dir = '';

test.before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'loom-judge-'));
});
test.after(() => rm(dir, { recursive: true, force: true }));

/** Runs a test file as the test command would. */
async function verdictOn(source: string): Promise<Verdict> {
  const file = join(dir, `f${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(file, source);
  const env = { PATH: process.env['PATH'] };
  return judgeFile(await runCommand([process.execPath, file], { dir, env, seconds: 50 }));
}

test('a file whose tests all pass has passed, with its count', async () => {
  const verdict = await verdictOn(`${head}test('a', () => {}); test('b', () => {}); test.run();`);
  assert.equal(verdict, { passed: 2, failed: 0, skipped: 0, reason: '' });
});

test('skipped tests are counted as neither', async () => {
  const verdict = await verdictOn(`${head}test('a', () => {}); test.skip('b', () => {}); test.run();`);
  assert.equal(verdict, { passed: 1, failed: 0, skipped: 1, reason: '' });
});

test('a file that forgets test.run() has failed', async () => {
  const verdict = await verdictOn(`${head}test('a', () => {});`);
  assert.is(verdict.failed, 1);
  assert.match(verdict.reason, /test\.run/);
});

test('a file whose before hook throws has failed', async () => {
  const source = `${head}test.before(() => { throw new Error('no'); }); test('a', () => {}); test.run();`;
  assert.is((await verdictOn(source)).failed, 1);
});

test('a test that throws something that is no Error fails its file', async () => {
  assert.is((await verdictOn(`${head}test('a', () => { throw 'text'; }); test.run();`)).failed, 1);
});

test('each failing test counts', async () => {
  const source = `${head}for (const x of [1, 2, 3]) test('t' + x, () => { if (x > 1) throw new Error('no'); }); test.run();`;
  const verdict = await verdictOn(source);
  assert.is(verdict.passed, 1);
  assert.is(verdict.failed, 2);
});

test('a file that passes its tests and exits with an error has failed', async () => {
  const source = `${head}test('a', () => {}); test.run(); process.on('exit', () => { process.exitCode = 3; });`;
  assert.is((await verdictOn(source)).reason, 'exit code 3');
});

test('a file that hangs is killed, with the processes it started', async () => {
  const child = `const c = require('child_process').spawn('sleep', ['600']); console.log('pid ' + c.pid);`;
  const file = join(dir, 'hang.cjs');
  await writeFile(file, `${child} setInterval(() => {}, 1000);`);
  const run = await cutOff([process.execPath, file], { dir, env: { PATH: process.env['PATH'] } }, /pid \d+/);
  assert.match(judgeFile(run).reason, /did not end in time/);
  const pid = Number(/pid (\d+)/.exec(run.output)?.[1]);
  assert.ok(pid > 0);
  assert.not.ok(isAlive(pid));
});

test('a check is one case, judged by its exit code', () => {
  assert.is(judgeCheck({ exit: 0, timedOut: false, output: '' }).passed, 1);
  assert.is(judgeCheck({ exit: 2, timedOut: false, output: '' }).failed, 1);
  assert.is(judgeCheck({ exit: 0, timedOut: true, output: '' }).failed, 1);
});

test('colours do not hide the summary', () => {
  const output = '\u001B[90m  Total:     3\u001B[39m\n\u001B[32m  Passed:    3\u001B[39m\n  Skipped:   0\n';
  assert.is(judgeFile({ exit: 0, timedOut: false, output }).passed, 3);
});

test.run();
