/**
 * The nats-server program. Used in this order: LOOM_NATS_SERVER, `.loom/bin`, PATH — each only at or above the floor.
 * Brought in this order: the official release (pinned, checked), else out of Debian's package.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, glob, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, missing } from '../failure.ts';
import type { Output, Progress } from '../output.ts';
import { binDir, cacheDir } from '../root.ts';
import { unpackDebian } from './debian.ts';
import { download } from './download.ts';
import type { Found, Part } from './part.ts';
import { sh } from './shell.ts';

const run = promisify(execFile);

/** The oldest server whose fences, schedules and syncs are the ones that were tried. */
export const natsFloor = '2.14.3';

/** The release that is downloaded, and the SHA-256 of its archives. */
const release = {
  version: '2.14.5',
  sums: {
    'linux-x64': '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355',
    'linux-arm64': '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c',
    'darwin-x64': 'f95c98d6b6ed2b63c5681b46b092c9585c99767d547cf495730c329234625e96',
    'darwin-arm64': 'ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50',
  } as Readonly<Record<string, string>>,
};

/** -1, 0 or 1 by numbers, part by part. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  const at = [0, 1, 2].find((i) => left[i] !== right[i]);
  return at === undefined ? 0 : Math.sign((left[at] ?? 0) - (right[at] ?? 0));
}

/** `2.15.1`, or null when the file is not there or is no nats-server. */
async function versionOf(binary: string): Promise<string | null> {
  try {
    const { stdout } = await run(binary, ['--version']);
    return /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

function candidates(): string[] {
  const path = (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, 'nats-server'));
  return [process.env['LOOM_NATS_SERVER'] ?? '', join(binDir, 'nats-server'), ...path].filter((file) => file !== '');
}

async function find(): Promise<Found | null> {
  for (const where of candidates()) {
    const version = await versionOf(where);
    if (version !== null && compareVersions(version, natsFloor) >= 0) return { version, where };
  }
  return null;
}

/** Puts a program into `.loom/bin`; who looks meanwhile sees the old one or the new one, never half of it. */
async function place(file: string): Promise<void> {
  await mkdir(binDir, { recursive: true });
  const next = join(binDir, `nats-server.${process.pid}`);
  await copyFile(file, next);
  await chmod(next, 0o755);
  await rename(next, join(binDir, 'nats-server'));
}

async function fromRelease(progress: Progress): Promise<void> {
  const sum = release.sums[`${process.platform}-${process.arch}`];
  if (sum === undefined) throw new Error(`no release is pinned for ${process.platform} ${process.arch}`);
  const stem = `nats-server-v${release.version}-${process.platform}-${process.arch === 'x64' ? 'amd64' : 'arm64'}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/v${release.version}/${stem}.tar.gz`;
  const bytes = await download(url, sum, progress);
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, 'nats-'));
  try {
    await writeFile(join(dir, 'archive.tar.gz'), bytes);
    await sh('tar', ['-xzf', 'archive.tar.gz', '--strip-components=1', `${stem}/nats-server`], { cwd: dir });
    await place(join(dir, 'nats-server'));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function fromDebian(): Promise<void> {
  const dir = await unpackDebian('sid', 'nats-server');
  try {
    const programs = await Array.fromAsync(glob('root/usr/{bin,sbin}/nats-server', { cwd: dir }));
    await place(join(dir, programs[0] ?? 'root/usr/bin/nats-server'));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Tries one way after the other; what each said, when none did. */
async function get(progress: Progress): Promise<string[]> {
  const failures: string[] = [];
  const ways = [
    { name: `release ${release.version}`, get: () => fromRelease(progress) },
    { name: 'Debian package', get: () => fromDebian() },
  ];
  for (const way of ways) {
    progress.at(null, `from the ${way.name}`);
    try {
      await way.get();
      if ((await find()) !== null) return [];
      failures.push(`${way.name}: older than ${natsFloor} or not runnable`);
    } catch (cause) {
      failures.push(`${way.name}: ${messageOf(cause)}`);
    }
  }
  return failures;
}

const how = [
  `install nats-server ${natsFloor} or newer (https://nats.io/download) on PATH, or name it in LOOM_NATS_SERVER`,
];

async function bring(out: Output): Promise<Found> {
  const there = await find();
  if (there !== null) return there;
  const progress = out.task('nats-server');
  const failures = await get(progress);
  const found = await find();
  if (found === null) {
    progress.failed();
    throw missing(`nats-server ${natsFloor} or newer is missing and could not be fetched`, ...failures, ...how);
  }
  progress.done(`${found.version} in ${found.where}`);
  return found;
}

/** The nats-server that a stack runs. */
export const natsPart: Part = { name: 'nats-server', find, bring, how };

/** Path of a nats-server at or above the floor. @throws when there is none; nothing is fetched */
export async function findNatsServer(): Promise<string> {
  const found = await find();
  if (found === null) throw missing(`no nats-server ${natsFloor} or newer`, ...how);
  return found.where;
}
