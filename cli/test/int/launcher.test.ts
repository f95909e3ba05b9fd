import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../src/root.ts';

interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a launcher with a PATH of its own. */
function launch(file: string, args: readonly string[], options: { cwd?: string; path?: string } = {}): Promise<Ended> {
  const env = { ...process.env, ...(options.path === undefined ? {} : { PATH: options.path }) };
  return new Promise((resolve) => {
    execFile(file, args, { cwd: options.cwd ?? root, env }, (cause, stdout, stderr) => {
      resolve({ exit: typeof cause?.code === 'number' ? cause.code : 0, stdout, stderr });
    });
  });
}

/** A checkout with the launcher and nothing else, and a folder of programs to be its PATH. */
async function bareCheckout(programs: readonly string[]): Promise<AsyncDisposable & { dir: string; path: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-bare-'));
  const path = join(dir, 'bin');
  await mkdir(path);
  await cp(join(root, 'loom'), join(dir, 'loom'));
  for (const program of ['bash', 'env', 'dirname', 'readlink', 'cmp', ...programs]) {
    await symlink(`/usr/bin/${program}`, join(path, program)).catch(() => undefined);
  }
  return { dir, path, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

test('--help teaches, with examples, and is no error', async () => {
  const { exit, stdout } = await launch(join(root, 'loom'), ['--help']);
  assert.is(exit, 0);
  assert.match(stdout, './loom test');
});

test('an unknown command, an unknown option and no command at all are wrong usage', async () => {
  for (const args of [['nope'], ['doctor', '--nope'], []]) {
    assert.is((await launch(join(root, 'loom'), args)).exit, 2, args.join(' '));
  }
});

test('it works from any folder and by way of a link', async () => {
  await using bare = await bareCheckout([]);
  await symlink(join(root, 'loom'), join(bare.dir, 'link'));
  assert.is((await launch(join(bare.dir, 'link'), ['--help'], { cwd: '/' })).exit, 0);
});

test('doctor --json prints one record a part and nothing else on stdout', async () => {
  const { stdout } = await launch(join(root, 'loom'), ['doctor', '--json']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { part?: string });
  assert.ok(lines.some(({ part }) => part === 'nats-server'));
});

test('without Node it says so, how to get it, and exits with 3', async () => {
  await using bare = await bareCheckout([]);
  const { exit, stderr } = await launch(join(bare.dir, 'loom'), ['doctor'], { path: bare.path });
  assert.is(exit, 3);
  assert.match(stderr, /Node is not installed.*\n.*get it: https:/);
});

test('with a Node that is too old it names the version and exits with 3', async () => {
  await using bare = await bareCheckout([]);
  await writeFile(join(bare.path, 'node'), '#!/bin/bash\necho 18\n');
  await chmod(join(bare.path, 'node'), 0o755);
  const { exit, stderr } = await launch(join(bare.dir, 'loom'), ['doctor'], { path: bare.path });
  assert.is(exit, 3);
  assert.match(stderr, 'Node 18 is too old');
});

test('without npm it says so and exits with 3', async () => {
  await using bare = await bareCheckout([]);
  await symlink(process.execPath, join(bare.path, 'node'));
  const { exit, stderr } = await launch(join(bare.dir, 'loom'), ['doctor'], { path: bare.path });
  assert.is(exit, 3);
  assert.match(stderr, 'npm is not installed');
});

test.run();
