import type { Readable } from 'node:stream';
import type { Blobs } from '@loom/blobs';
import type { Artifact } from '@loom/job';
import { ZipFile } from 'yazl';

/** A ZIP of the files under their paths, written as it is read: one file's bytes in memory at a time. Same files, same bytes. */
export function zipOf(files: readonly Artifact[], blobs: Blobs): Readable {
  const zip = new ZipFile();
  const stream = zip.outputStream as Readable;
  zip.on('error', (cause: Error) => stream.destroy(cause));
  void fill(zip, files, blobs).catch((cause: unknown) => stream.destroy(cause as Error));
  return stream;
}

async function fill(zip: ZipFile, files: readonly Artifact[], blobs: Blobs): Promise<void> {
  for (const { path, time, object, dataKey } of files) {
    zip.addBuffer(await blobs.get(object, dataKey), path, { mtime: new Date(time), forceDosTimestamp: true });
  }
  zip.end();
}
