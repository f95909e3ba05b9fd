import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HARNESS = `
import os, sys, json, traceback, io
import matplotlib, pandas as pd, numpy as np
for name in sorted(os.listdir('.')):
    if not os.path.isdir(name): continue
    if os.fork() == 0:
        os.chdir(name)
        out = os.open('out.txt', os.O_WRONLY | os.O_CREAT); os.dup2(out, 1)
        err = os.open('err.txt', os.O_WRONLY | os.O_CREAT); os.dup2(err, 2)
        try:
            exec(compile(open('main.py').read(), 'main.py', 'exec'), {'__name__': '__main__'})
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(0)
    os.wait()
`;

export interface Case {
  readonly code: string;
  readonly file?: { readonly name: string; readonly content: Uint8Array | string };
}

export interface Ran {
  readonly out: string;
  readonly err: string;
  readonly charts: readonly string[];
}

/** The sandbox image when an engine is there, else a Python of this machine that has pandas and matplotlib. */
function interpreter(dir: string): readonly [string, readonly string[]] {
  const image = process.env['LOOM_SANDBOX_IMAGE'] ?? process.env['LOOM_TEST_IMAGE'];
  const uid = `${process.getuid?.() ?? 65534}`;
  if (image !== undefined && spawnSync('docker', ['image', 'inspect', image]).status === 0)
    return [
      'docker',
      [
        'run',
        '--rm',
        '--network=none',
        '--memory=512m',
        '--memory-swap=512m',
        `--user=${uid}`,
        '-e',
        'PYTHONDONTWRITEBYTECODE=1',
        '-v',
        `${dir}:/cases`,
        '-w',
        '/cases',
        image,
        'python3',
        'harness.py',
      ],
    ];
  for (const python of ['python3', '/usr/bin/python3'])
    if (spawnSync(python, ['-c', 'import pandas, matplotlib']).status === 0) return [python, ['harness.py']];
  throw new Error(
    'No Python with pandas and matplotlib: set LOOM_SANDBOX_IMAGE to the sandbox image, or install python3-pandas and python3-matplotlib.',
  );
}

/** Runs programs over their files, one after another in one interpreter that has the libraries loaded. */
export function runAll(cases: readonly Case[]): readonly Ran[] {
  const dir = mkdtempSync(join(tmpdir(), 'loom-offline-'));
  const folder = (at: number) => join(dir, `case-${String(at).padStart(3, '0')}`);
  try {
    cases.forEach(({ code, file }, at) => {
      mkdirSync(folder(at));
      writeFileSync(join(folder(at), 'main.py'), code);
      if (file) writeFileSync(join(folder(at), file.name), file.content);
    });
    writeFileSync(join(dir, 'harness.py'), HARNESS);
    const [command, args] = interpreter(dir);
    execFileSync(command, args, { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
    return cases.map((_, at) => ({
      out: read(folder(at), 'out.txt'),
      err: read(folder(at), 'err.txt'),
      charts: chartsOf(join(folder(at), 'final')),
    }));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const read = (dir: string, name: string): string => readFileSync(join(dir, name), 'utf8');

/** Names of the files under final/ that begin as a PNG does. */
function chartsOf(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter((name) => readFileSync(join(dir, name)).subarray(1, 4).toString() === 'PNG')
      .map((name) => `final/${name}`);
  } catch {
    return [];
  }
}
