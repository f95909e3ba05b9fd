import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bar, output } from '../src/output.ts';

function capture(isTTY = false): { text: string; isTTY: boolean; columns: number; write(text: string): void } {
  return {
    text: '',
    isTTY,
    columns: 80,
    write(text) {
      this.text += text;
    },
  };
}

test('with --json, stdout carries records and nothing else', () => {
  const [out, err] = [capture(), capture()];
  const to = output(true, out, err);
  to.print('for people');
  to.note('a remark');
  to.task('work').done();
  to.record({ a: 1 });
  assert.is(out.text, '{"a":1}\n');
  assert.match(err.text, 'a remark');
});

test('without --json, records stay away', () => {
  const out = capture();
  output(false, out, capture()).record({ a: 1 });
  assert.is(out.text, '');
});

test('without a terminal progress is plain lines, each note once', () => {
  const err = capture();
  const task = output(false, capture(), err).task('image');
  task.at(0.1, 'base');
  task.at(0.2, 'base');
  task.at(0.5, 'packages');
  task.done();
  assert.not.match(err.text, '\r');
  assert.is(err.text.split('base').length, 2);
  assert.match(err.text, /image: done/);
});

test('on a terminal progress is one line that is drawn again', () => {
  const err = capture(true);
  const task = output(false, capture(), err).task('image');
  task.done('580 MB');
  assert.match(err.text, '\r');
  assert.match(err.text, '✓ image: 580 MB');
});

test('a bar is never longer than it may be', () => {
  assert.is(bar(-1, 4), '[----]');
  assert.is(bar(0.5, 4), '[##--]');
  assert.is(bar(7, 4), '[####]');
});

test('whoever reads slowly gets all of a long line before the process ends', async () => {
  const module = new URL('../src/output.ts', import.meta.url).href;
  const script = `const { drained } = await import(${JSON.stringify(module)});
    process.stdout.write('x'.repeat(2_000_000) + '\\n');
    await drained();
    process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await sleep(500);
  assert.is((await text(child.stdout)).length, 2_000_001);
});

test.run();
