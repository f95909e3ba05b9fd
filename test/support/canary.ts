/** Canaries: strings that must be found in no clear byte, whatever way they are written down. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A canary as it may lie somewhere: plain, reversed, hex, URL-encoded, UTF-16, and base64 at each of its three alignments. */
export function spellings(canary: string): ReadonlyMap<string, Buffer> {
  const hex = Buffer.from(canary).toString('hex');
  const base64 = [0, 1, 2].map((shift): [string, Buffer] => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(canary)]).toString('base64');
    return [`base64 shifted by ${shift}`, Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -4))];
  });
  return new Map<string, Buffer>([
    ['plain', Buffer.from(canary)],
    ['its first 12 characters', Buffer.from(canary.slice(0, 12))],
    ['reversed', Buffer.from(canary.split('').toReversed().join(''))],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ['UTF-16', Buffer.from(canary, 'utf16le')],
    ...base64,
  ]);
}

/** Every file below a folder with its bytes. */
export async function filesUnder(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, Buffer]> => [path, await readFile(path).catch(() => Buffer.alloc(0))]),
    ),
  );
}

/** Where a canary is found: `file: spelling`. */
export function sightings(files: ReadonlyMap<string, Uint8Array>, canaries: readonly string[]): string[] {
  return canaries.flatMap((canary) =>
    [...spellings(canary)].flatMap(([how, bytes]) =>
      [...files]
        .filter(([, content]) => Buffer.from(content.buffer, content.byteOffset, content.byteLength).includes(bytes))
        .map(([file]) => `${canary} in ${file}: ${how}`),
    ),
  );
}
