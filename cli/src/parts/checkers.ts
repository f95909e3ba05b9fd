/**
 * Programs that check the manifests and rules of `deploy/`: kubectl, promtool, docker-compose. No stack needs them, only the tests.
 * Looked for in `.loom/bin`, where Docker keeps its plugins, and on PATH; brought out of Debian's packages, without root.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, missing } from '../failure.ts';
import { binDir } from '../root.ts';
import { unpackDebian } from './debian.ts';
import { compareVersions } from './nats.ts';

const run = promisify(execFile);

interface Checker {
  /** Arguments that make it say its version. */
  readonly version: readonly string[];
  /** Oldest that understands what we write. */
  readonly floor: string;
  /** Debian's package, and where the program lies in it. */
  readonly package: string;
  readonly file: string;
}

const checkers = {
  kubectl: { version: ['version', '--client'], floor: '1.28.0', package: 'kubectl', file: 'usr/bin/kubectl' },
  promtool: { version: ['--version'], floor: '2.50.0', package: 'promtool', file: 'usr/bin/promtool' },
  'docker-compose': {
    version: ['version'],
    floor: '2.20.0',
    package: 'docker-compose',
    file: 'usr/libexec/docker/cli-plugins/docker-compose',
  },
} as const satisfies Record<string, Checker>;

export type CheckerName = keyof typeof checkers;

const plugins = ['/usr/libexec', '/usr/lib', '/usr/local/lib', '/usr/local/libexec'].map((dir) =>
  join(dir, 'docker/cli-plugins'),
);

async function find(name: CheckerName): Promise<string | null> {
  const { version, floor } = checkers[name];
  for (const dir of [binDir, ...plugins, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const file = join(dir, name);
    const said = await run(file, [...version]).catch(() => ({ stdout: '' }));
    const found = /(\d+\.\d+\.\d+)/.exec(said.stdout)?.[1];
    if (found !== undefined && compareVersions(found, floor) >= 0) return file;
  }
  return null;
}

/** Puts programs into `.loom/bin`, each whole or not at all. */
async function bring(names: readonly CheckerName[]): Promise<void> {
  const dir = await unpackDebian('sid', ...names.map((name) => checkers[name].package));
  try {
    await mkdir(binDir, { recursive: true });
    for (const name of names) {
      const next = join(binDir, `${name}.${process.pid}`);
      await copyFile(join(dir, 'root', checkers[name].file), next);
      await chmod(next, 0o755);
      await rename(next, join(binDir, name));
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const absent = async (): Promise<CheckerName[]> => {
  const names = Object.keys(checkers) as CheckerName[];
  const found = await Promise.all(names.map(find));
  return names.filter((_, at) => found[at] === null);
};

/** Path of a checker; all that are missing are fetched together. @throws Failure 3 that says how to get it */
export async function bringChecker(name: CheckerName): Promise<string> {
  const there = await find(name);
  if (there !== null) return there;
  const trouble = await bring(await absent()).then(() => '', messageOf);
  const found = await find(name);
  if (found !== null) return found;
  const how = `install ${name} ${checkers[name].floor} or newer on PATH`;
  throw missing(`${name} is missing and could not be fetched`, ...(trouble === '' ? [] : [trouble]), how);
}
