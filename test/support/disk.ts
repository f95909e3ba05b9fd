/**
 * A disk that can lose its power: ext4 on a loop device on a FUSE file whose unflushed writes are in the memory of one process.
 * Owns a folder with the image, that process, and while the power is on a helper in a mount namespace of its own, which holds the mounts.
 * V1  Nothing is mounted where other processes would see it, and whatever ends whichever of the three processes, the kernel takes the mounts and
 *     the loop device away. V2  `cut` returns when that is done, so the next `on` meets the image as the cut left it.
 */
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../power/disk-process.ts', import.meta.url));

export interface Disk extends AsyncDisposable {
  /** Switches the power on, mounts, and gives the folder that is the file system's root. */
  on(): Promise<string>;
  /** The power goes: a random part of the unflushed pages is kept by `seed`, none by 0. How many were unflushed. Open files of it answer EIO. */
  cut(seed: number): Promise<number>;
}

/**
 * Descriptor 3 is /dev/fuse, given away with the first mount. `cat` holds the namespace until stdin ends. The file system writes its journal when it
 * is told to, not every five seconds of its own: on a machine that is held back that would save what a cut is to lose.
 */
const helperScript = `
  mount -i -t fuse -o fd=3,rootmode=100600,user_id=0,group_id=0 loom-disk "$1" &&
  exec 3<&- && mount -t ext4 -o loop,commit=300 "$1" "$2" && echo mounted && exec cat`;

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Powered {
  readonly disk: Child;
  readonly helper: Child;
}

/** Why this machine cannot have such a disk; '' when it can. */
async function noDisk(): Promise<string> {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  for (const path of ['/dev/fuse', '/dev/loop-control'])
    if (
      !(await access(path).then(
        () => true,
        () => false,
      ))
    )
      return `there is no ${path}`;
  if (!/\text4\n/.test(await readFile('/proc/filesystems', 'utf8'))) return 'the kernel has no ext4';
  const tools = run('sh', ['-c', 'command -v mkfs.ext4 mount losetup && unshare --mount true']);
  return tools.then(
    () => '',
    (cause: unknown) => `mkfs.ext4, mount, losetup and unshare must work: ${String(cause)}`,
  );
}

/** `test` where such a disk can be had; else a skipped case that prints why. */
export async function diskCase(): Promise<(name: string, work: () => Promise<void>) => void> {
  const missing = await noDisk();
  return (name, work) => {
    if (missing !== '') console.log(`skip: ${name}: ${missing}`);
    if (missing === '') test(name, work);
    else test.skip(name, work);
  };
}

/** A formatted disk without power. Dispose takes the power and the image away. */
export async function volatileDisk(): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), 'loom-disk-'));
  const image = join(folder, 'image');
  await Promise.all([mkdir(join(folder, 'disk')), writeFile(join(folder, 'device'), ''), writeFile(image, '')]);
  await truncate(image, 1024 * 1024 * 1024);
  await run('mkfs.ext4', ['-q', '-F', '-E', 'nodiscard,lazy_itable_init=0', '-N', '4096', '-J', 'size=16', image]);
  let powered: Powered | null = null;
  const cut = async (seed: number): Promise<number> => {
    if (powered === null) return 0;
    const { disk, helper } = powered;
    powered = null;
    return powerOff(disk, helper, seed);
  };
  return {
    async on() {
      powered ??= await powerOn(folder, image);
      return `/proc/${powered.helper.pid}/root${join(folder, 'disk')}`;
    },
    cut,
    async [Symbol.asyncDispose]() {
      await cut(0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function powerOn(folder: string, image: string): Promise<Powered> {
  await using kernel = await open('/dev/fuse', 'r+');
  const start = (command: string, args: readonly string[]): Child =>
    spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit', kernel.fd] }) as unknown as Child;
  const disk = start(process.execPath, [program, image]);
  const script = ['sh', '-c', helperScript, 'sh', join(folder, 'device'), join(folder, 'disk')];
  const helper = start('unshare', ['--mount', '--propagation', 'private', ...script]);
  const gone = once(helper, 'exit').then(() => false);
  const mounted = await Promise.race([once(helper.stdout, 'data').then(() => true), gone]);
  if (!mounted) {
    disk.kill('SIGKILL');
    throw new Error('the disk could not be mounted');
  }
  return { disk, helper };
}

/** Disk first, mounts second (D2 of the disk's process). */
async function powerOff(disk: Child, helper: Child, seed: number): Promise<number> {
  const ended = [once(disk, 'close'), once(helper, 'close')] as const;
  let words = '';
  disk.stdout.on('data', (chunk: Buffer) => (words += chunk.toString()));
  disk.stdin.write(`cut ${seed}\n`);
  await ended[0];
  helper.stdin.end();
  await ended[1];
  return Number(/^cut (\d+)$/m.exec(words)?.[1] ?? 0);
}
