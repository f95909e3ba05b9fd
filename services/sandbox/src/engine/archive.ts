import { extract, pack } from 'tar-stream';
import type { WorkspaceFile } from '../domain/call.ts';
import { refusal } from '../domain/files.ts';
import type { Limits } from '../domain/limits.ts';

/** A tar of the files, in pieces that share the files' memory. */
export async function packed(files: readonly WorkspaceFile[]): Promise<readonly Buffer[]> {
  const archive = pack();
  for (const { path, content } of files)
    archive.entry({ name: path, mode: 0o644 }, Buffer.from(content.buffer, content.byteOffset, content.byteLength));
  archive.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of archive) pieces.push(piece as Buffer);
  return pieces;
}

export interface Unpacking {
  write(bytes: Uint8Array): void;
  /** Closes the archive; what is broken or cut off is simply not there. */
  end(): Promise<{
    readonly files: readonly WorkspaceFile[];
    readonly skipped: readonly (readonly [string, string])[];
  }>;
}

/** Takes regular files out of a container's archive, each header judged by `refusal`. Memory is bounded by the caps. */
export function unpacking(limits: Limits): Unpacking {
  const files: WorkspaceFile[] = [];
  const skipped: [string, string][] = [];
  const archive = extract();
  const done = read(archive, limits, files, skipped).catch(() => {}); // untrusted bytes: a broken archive ends the list
  return {
    write: (bytes) => void archive.write(Buffer.from(bytes)),
    end: async () => {
      archive.end(undefined);
      await done;
      return { files, skipped };
    },
  };
}

async function read(
  archive: ReturnType<typeof extract>,
  limits: Limits,
  files: WorkspaceFile[],
  skipped: [string, string][],
): Promise<void> {
  let bytes = 0;
  for await (const entry of archive) {
    const { name, type, size } = entry.header;
    const reason = refusal({ name, type, size }, { count: files.length, bytes }, limits);
    if (reason !== null) {
      if (skipped.length < 20) skipped.push([name.slice(0, 255), reason]);
      entry.resume();
      continue;
    }
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece as Buffer);
    const content = Buffer.concat(pieces);
    if (content.length !== size) return;
    bytes += content.length;
    files.push({ path: name, content });
  }
}
