import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../src/domain/limits.ts';
import { demultiplexer } from '../../src/domain/output.ts';
import { transcript } from '../../src/domain/transcript.ts';
import { packed } from '../../src/engine/archive.ts';
import { openWorkspace } from '../../src/engine/docker.ts';
import { labels } from '../../src/engine/reaper.ts';
import { engine, file } from '../engine.ts';

const sandbox = await engine();

test('Python reads an attachment with pandas and hands back a chart', async () => {
  const code = `
import pandas as pd
import matplotlib.pyplot as plt
import os
data = pd.read_csv('sales.csv')
print(data['amount'].sum())
os.mkdir('final')
data.plot(x='name', y='amount', kind='bar')
plt.savefig('final/chart.png')
`;
  const ran = await sandbox.run(code, { inputs: [file('sales.csv', 'name,amount\na,1\nb,41\n')] });
  assert.is(ran.outcome, 'completed', ran.text);
  assert.is(ran.out.trim(), '42');
  assert.equal(
    ran.files.map(({ path }) => path),
    ['final/chart.png'],
  );
  assert.is(Buffer.from(ran.files[0]!.content).subarray(1, 4).toString(), 'PNG');
  assert.match(
    ran.text,
    /^exit code 0 \(\d+\.\d s\)\n--- stdout\n42\n--- stderr\n\n--- files\nfinal\/chart.png \(\d+ bytes\)$/,
  );
});

test('Node runs as CommonJS and, when it imports, as a module', async () => {
  const common = await sandbox.run(`console.log(require('fs').readFileSync('a.txt', 'utf8'))`, {
    language: 'node',
    inputs: [file('a.txt', 'hello')],
  });
  assert.is(common.out, 'hello\n', common.text);
  const module = await sandbox.run(
    `import { readFileSync } from 'node:fs';\nconsole.log(await Promise.resolve(readFileSync('a.txt', 'utf8')))`,
    {
      language: 'node',
      inputs: [file('a.txt', 'hello')],
    },
  );
  assert.is(module.out, 'hello\n', module.text);
});

test('code that fails shows its own traceback and its exit code', async () => {
  const ran = await sandbox.run('def f():\n    return 1 / 0\n\nf()\n');
  assert.is(ran.code, 'exit_nonzero');
  assert.is(ran.exitCode, 1);
  assert.match(ran.text, 'ZeroDivisionError');
  assert.match(ran.text, 'File "main.py", line 4');
  assert.not.match(ran.text, 'run_python');
  const exits = await sandbox.run('import sys; sys.exit(7)');
  assert.is(exits.exitCode, 7);
  const broken = await sandbox.run('print(');
  assert.is(broken.exitCode, 1);
  assert.match(broken.text, 'SyntaxError');
});

test('threads are waited for and exit functions called, as at the end of any program', async () => {
  const code = `
import atexit, sys, threading, time
atexit.register(lambda: print('bye'))
threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()
sys.exit('reason')
`;
  const ran = await sandbox.run(code);
  assert.equal([ran.out, ran.exitCode], ['thread\nbye\n', 1]);
  assert.match(ran.text, '--- stderr\nreason');
});

test('output in a third language of bytes is shown as text', async () => {
  const ran = await sandbox.run(
    `import sys; sys.stdout.buffer.write(b'ok \\xff\\x00 \\x1b[31mred\\x1b[0m \\xe2\\x82\\xac\\n')`,
  );
  assert.match(ran.text, 'ok \uFFFD red €');
});

test('a file below final/ that was laid in and not changed is no file that the code wrote', async () => {
  const inputs = [file('final/old.txt', 'old'), file('final/both.txt', 'one')];
  const ran = await sandbox.run(`open('final/both.txt', 'w').write('two')`, { inputs });
  assert.equal(
    ran.files.map(({ path }) => path),
    ['final/both.txt'],
  );
});

test('multiprocessing works, and stdin is empty', async () => {
  const code = `
import sys
from concurrent.futures import ProcessPoolExecutor
def square(x): return x * x
with ProcessPoolExecutor(2) as pool: print(list(pool.map(square, [1, 2, 3])), repr(sys.stdin.read()))
`;
  assert.is((await sandbox.run(code)).out, "[1, 4, 9] ''\n");
});

test('a program does not overwrite an attachment of its own name', async () => {
  const ran = await sandbox.run(`print(open('main.py').read())`, { inputs: [file('main.py', 'mine')] });
  assert.is(ran.out, 'mine\n');
});

test('a 50 MB CSV is read by chunks within the memory', async () => {
  const content = Buffer.from(`id,value\n${'12345678,1\n'.repeat(4_600_000)}`);
  const code = `
import pandas as pd
print(sum(chunk['value'].sum() for chunk in pd.read_csv('big.csv', chunksize=200_000)))
`;
  const ran = await sandbox.run(code, { inputs: [{ path: 'big.csv', content }] });
  assert.is(ran.out.trim(), '4600000', ran.text);
});

test('what lies behind the end of the archive is not taken for the end of the service', async () => {
  const { docker, settings } = sandbox;
  const { socket, destroy } = await openWorkspace(docker, settings, false, labels(settings.pool));
  const code = `import time\ntime.sleep(0.5)\nprint('all of it')`;
  const archive = Buffer.concat([...(await packed([file('main.py', code)])), Buffer.alloc(1 << 20)]);
  const heard = transcript('nonce', limits.outputBytes);
  const demultiplex = demultiplexer();
  socket.on('data', (chunk: Uint8Array) => demultiplex(chunk).forEach((frame) => heard.feed(frame)));
  const request = { nonce: 'nonce', language: 'python', main: 'main.py', bytes: archive.length };
  socket.write(Buffer.concat([Buffer.from(`${JSON.stringify(request)}\n`), archive]));
  await once(socket, 'end');
  await destroy();
  assert.is(heard.ended()?.exit, 0);
  assert.is(Buffer.from(heard.stdout()).toString(), 'all of it\n');
});

test.after(() => sandbox[Symbol.asyncDispose]());
test.run();
