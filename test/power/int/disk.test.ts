/** The disk that the power cuts are tried with does what a disk does: it keeps what was flushed, and may lose the rest. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diskCase, volatileDisk } from '../../support/disk.ts';
import { WriteCache } from '../cache.ts';

const run = promisify(execFile);
const withDisk = await diskCase();

async function writeSynced(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'w');
  await handle.writeFile(text);
  await handle.sync();
}

withDisk('a synced file outlives power cuts, one that was only written does not', async () => {
  await using disk = await volatileDisk();
  for (const round of [1, 2, 3]) {
    const path = await disk.on();
    await writeSynced(join(path, `synced-${round}`), 'kept');
    await writeFile(join(path, `written-${round}`), 'lost'.repeat(100_000));
    await disk.cut(round === 1 ? 0 : round);
  }
  const path = await disk.on();
  const names = (await readdir(path)).filter((name) => name !== 'lost+found');
  assert.equal(names.toSorted(), ['synced-1', 'synced-2', 'synced-3']);
  assert.is(await readFile(join(path, 'synced-2'), 'utf8'), 'kept');
});

withDisk(
  'the file system is sound after the cuts, and the machine is left without a mount or a loop device',
  async () => {
    const disk = await volatileDisk();
    const path = await disk.on();
    const folder = dirname(path.replace(/^\/proc\/\d+\/root/, ''));
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => writeSynced(join(path, name), name)));
    await disk.cut(7);
    const checked = await run('e2fsck', ['-fy', join(folder, 'image')]).catch((cause: { code: number }) => cause.code);
    assert.ok(typeof checked === 'object' || checked === 1, 'nothing but the journal had to be replayed');
    assert.not.match((await run('losetup', ['-a'])).stdout, basename(folder));
    assert.not.match(await readFile('/proc/mounts', 'utf8'), basename(folder));
    await disk[Symbol.asyncDispose]();
  },
);

test('the cache reads what was last written, whatever was flushed, and a cut leaves each page old or new', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loom-cache-'));
  const size = 8 * 4096;
  const step = fc.oneof(
    fc.record({ at: fc.nat(size - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 9000 }) }),
    fc.constant('flush' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(255), async (steps, kept) => {
      const file = join(folder, 'image');
      await writeFile(file, Buffer.alloc(size));
      await using handle = await open(file, 'r+');
      const cache = new WriteCache(handle.fd);
      const now = Buffer.alloc(size);
      const flushed = Buffer.alloc(size);
      for (const one of steps) {
        if (one === 'flush') {
          cache.flush();
          now.copy(flushed);
        } else {
          const bytes = Buffer.from(one.bytes.subarray(0, size - one.at));
          cache.write(one.at, bytes);
          bytes.copy(now, one.at);
        }
        assert.ok(cache.read(0, size).equals(now));
      }
      cache.cut((page) => (kept & (1 << page)) !== 0);
      const left = await readFile(file);
      for (let page = 0; page < 8; page += 1) {
        const [from, to] = [page * 4096, (page + 1) * 4096];
        const wanted = (kept & (1 << page)) === 0 ? flushed : now;
        assert.ok(left.subarray(from, to).equals(wanted.subarray(from, to)));
      }
    }),
    { numRuns: 60 },
  );
  await rm(folder, { recursive: true });
});

test.run();
