import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engine } from '../engine.ts';

const sandbox = await engine();

test('only regular files below final/ come out: no links, pipes, outsiders or giants', async () => {
  const code = `
import os
os.makedirs('final/sub')
open('final/good.txt', 'w').write('good')
open('final/sub/deep.txt', 'w').write('deep')
os.symlink('/etc/passwd', 'final/passwd')
os.symlink('/proc/self/environ', 'final/environ')
os.symlink('..', 'final/up')
os.symlink('/', 'final/root')
os.mkfifo('final/pipe')
open('outside.txt', 'w').write('outside')
with open('final/sparse', 'wb') as f: f.truncate(10 << 30)
open(b'final/\\xff\\xfe', 'w').write('bad name')
open('final/new\\nline', 'w').write('bad name')
`;
  const ran = await sandbox.run(code);
  assert.is(ran.outcome, 'completed', ran.text);
  assert.equal(
    ran.files.map(({ path }) => path),
    ['final/good.txt', 'final/sub/deep.txt'],
  );
  for (const name of ['passwd', 'environ', 'up', 'root', 'pipe', 'sparse'])
    assert.match(ran.text, `not taken: final/${name}`);
});

test('final/ itself may not be a link', async () => {
  const ran = await sandbox.run(`import os; os.symlink('/etc', 'final')`);
  assert.equal(ran.files, []);
});

test('a hard link is a file of its own, and 64 MB together are taken at most', async () => {
  const code = `
import os
os.mkdir('final')
open('final/a', 'wb').write(b'a' * 20_000_000)
for name in 'bcde': os.link('final/a', 'final/' + name)
`;
  const ran = await sandbox.run(code);
  assert.equal(
    ran.files.map(({ path, content }) => [path, content.length]),
    [
      ['final/a', 20e6],
      ['final/b', 20e6],
      ['final/c', 20e6],
    ],
  );
  assert.match(ran.text, 'not taken: final/d (over 64 MB together)');
});

test('of many files the first 200 are taken', async () => {
  const ran = await sandbox.run(
    `import os\nos.mkdir('final')\nfor n in range(1000): open(f'final/{n:04}', 'w').close()`,
  );
  assert.is(ran.files.length, 200);
});

test('folders nested beyond reason do not stop the call', async () => {
  const ran = await sandbox.run(
    `import os\nos.mkdir('final')\nopen('final/top', 'w').close()\nos.chdir('final')\nfor n in range(2000):\n    os.mkdir('d')\n    os.chdir('d')`,
  );
  assert.equal(
    ran.files.map(({ path }) => path),
    ['final/top'],
    ran.text,
  );
});

test.after(() => sandbox[Symbol.asyncDispose]());
test.run();
