/** What a case leaves behind in process groups of its own ends with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../src/stack/process.ts';
import type { Run } from '../src/testing/judge.ts';
import { runCommand } from '../src/testing/run.ts';
import { cutOff } from './support/cut-off.ts';

const test = suite<{ pids: number[] }>('leftovers', { pids: [] as number[] });
test.after(({ pids }) => {
  for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
});

const stay = 'setInterval(() => undefined, 1000)';

/** A program that says the pids of a child in a group of its own, and of that child's child in another, which holds the output open. */
const program = (last: string): string => `
  const { spawn } = require('node:child_process');
  const nested = \`
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', '${stay}'], { detached: true, stdio: ['ignore', 'inherit', 'ignore'] });
    console.log(child.pid);
    child.unref();
    process.send('begun');
    ${stay};
  \`;
  const child = spawn(process.execPath, ['-e', nested], { detached: true, stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
  console.log(child.pid);
  child.once('message', () => { ${last} });
`;

const options = { dir: '.', env: process.env };
const command = (last: string): readonly string[] => [process.execPath, '-e', program(last)];

function leftBy({ output }: Run, pids: number[]): readonly number[] {
  const left = output.match(/\d+/g)?.map(Number) ?? [];
  pids.push(...left);
  return left;
}

test('the kill timer of a case ends what hangs on it no more, wherever it was started', async ({ pids }) => {
  const run = await cutOff(command(''), options, /\d+\D+\d+/);
  const left = leftBy(run, pids);
  assert.ok(run.timedOut);
  assert.is(left.length, 2);
  assert.equal(left.filter(isAlive), []);
});

test('so does its end, while nothing else is touched', async ({ pids }) => {
  const other = spawn(process.execPath, ['-e', stay], {
    stdio: 'ignore',
    env: { ...process.env, LOOM_CASE_other: '1' },
  });
  await once(other, 'spawn');
  pids.push(other.pid ?? 0);
  const run = await runCommand(command('process.exit(3)'), { ...options, seconds: 50 });
  const left = leftBy(run, pids);
  assert.equal([run.exit, run.timedOut, left.length], [3, false, 2]);
  assert.equal(left.filter(isAlive), []);
  await sleep(50);
  assert.ok(isAlive(other.pid ?? 0));
});

test.run();
