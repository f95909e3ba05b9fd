/**
 * A disk with a volatile write cache, as a process: `disk-process.ts <image>`, with /dev/fuse as descriptor 3 (support/disk.ts starts it).
 * D1  What was not flushed is in this process's memory alone (C1): its end is the end of the power, whoever ended it and however, and the
 *     kernel fails every request from then on. D2  It is outside of the mount namespace and never touches its own file system: its death must
 *     close /dev/fuse before anything is unmounted, or the two wait for each other for ever (tried).
 * stdin: `cut <seed>` keeps a random part of the cache (seed 0: nothing) and ends; so does the end of stdin.
 */
import { openSync, read, statSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { WriteCache } from './cache.ts';
import { answer, requestBytes, type FileDisk } from './fuse.ts';
import { randomOf } from './random.ts';

const kernel = 3;

/** Answers the kernel, one request after the other, until the file system is gone. Before the mount the device cannot be read yet. */
function answerAll(disk: FileDisk): void {
  const request = Buffer.allocUnsafe(requestBytes);
  read(kernel, request, 0, requestBytes, null, (cause, size) => {
    if (cause?.code === 'ENODEV') return;
    if (cause?.code === 'EPERM') return void setTimeout(() => answerAll(disk), 1);
    const said = cause === null ? answer(disk, request.subarray(0, size)) : null;
    if (said !== null) writeSync(kernel, said);
    answerAll(disk);
  });
}

function powerOff(cache: WriteCache, seed: number): void {
  const random = randomOf(seed);
  const share = seed === 0 ? 0 : random();
  try {
    writeSync(1, `cut ${cache.unflushed}\n`);
    cache.cut(() => random() < share);
  } finally {
    process.kill(process.pid, 'SIGKILL'); // at once, even if nobody listens any more
  }
}

function main(image: string): void {
  const cache = new WriteCache(openSync(image, 'r+'));
  answerAll({
    size: statSync(image).size,
    read: (offset, size) => cache.read(offset, size),
    write: (offset, bytes) => cache.write(offset, bytes),
    flush: () => cache.flush(),
  });
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => powerOff(cache, Number(/^cut (\d+)$/.exec(line)?.[1] ?? 0)));
  lines.on('close', () => powerOff(cache, 0));
}

main(process.argv[2] ?? '');
