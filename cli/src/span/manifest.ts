/** `span.json`: what a folder of copies holds, and how far it is. */
import type { Gap, Span } from '@loom/log';
import { open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { readIfThere } from '../stack/files.ts';

export interface Manifest {
  readonly since: string;
  readonly until: string;
  readonly tenant: string | null;
  readonly facts: number;
  readonly parts: readonly { readonly file: string; readonly facts: number }[];
  /** Last sequence copied of each stream. */
  readonly positions: Readonly<Record<string, number>>;
  /** Sequences that were no longer kept. */
  readonly gaps: readonly Gap[];
  readonly done: boolean;
}

export const manifestName = 'span.json';

/** Whole or not there: written beside, synced, renamed. */
export async function writeWhole(dir: string, file: string, bytes: Uint8Array): Promise<void> {
  const beside = join(dir, `.${file}.writing`);
  await using handle = await open(beside, 'w', 0o600);
  await handle.writeFile(bytes);
  await handle.sync();
  await rename(beside, join(dir, file));
  await using folder = await open(dir, 'r');
  await folder.sync();
}

export const writeManifest = (dir: string, manifest: Manifest): Promise<void> =>
  writeWhole(dir, manifestName, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));

/** Null for a folder that is empty or not there. @throws Failure 2 for one of something else */
export async function readManifest(dir: string): Promise<Manifest | null> {
  const text = await readIfThere(join(dir, manifestName));
  if (text !== null) return JSON.parse(text) as Manifest;
  const others = (await readdir(dir).catch(() => [])).filter((name) => !name.startsWith('.'));
  if (others.length > 0)
    throw new Failure(2, `${dir} holds something else`, ['name a folder that is empty or not there yet']);
  return null;
}

/** The span that a copy in the folder is of, as it was begun; null when there is none. @throws Failure 2 */
export async function spanIn(dir: string): Promise<Span | null> {
  const manifest = await readManifest(dir);
  if (manifest === null) return null;
  const { since, until, tenant } = manifest;
  return { since: Date.parse(since), until: Date.parse(until), ...(tenant === null ? {} : { tenant }) };
}

const said = ({ since, until, tenant }: Span): Pick<Manifest, 'since' | 'until' | 'tenant'> => ({
  since: new Date(since).toISOString(),
  until: new Date(until).toISOString(),
  tenant: tenant ?? null,
});

/** What is there of the span, or the beginning of it. @throws Failure 2 for a folder that holds another span, or something else */
export async function manifestOf(dir: string, span: Span): Promise<Manifest> {
  const wanted = said(span);
  const found = await readManifest(dir);
  if (found === null) return { ...wanted, facts: 0, parts: [], positions: {}, gaps: [], done: false };
  const { since, until, tenant } = found;
  if (JSON.stringify({ since, until, tenant }) === JSON.stringify(wanted)) return found;
  const whose = tenant === null ? '' : ` of ${tenant}`;
  throw new Failure(2, `${dir} holds the span from ${since} until ${until}${whose}`, [
    'name the same to go on with it, or another folder',
  ]);
}

/** A gap that was met before is named once. */
export function withGaps(manifest: Manifest, met: readonly Gap[]): Manifest {
  const known = new Set(manifest.gaps.map(({ stream, to }) => `${stream} ${to}`));
  return { ...manifest, gaps: [...manifest.gaps, ...met.filter(({ stream, to }) => !known.has(`${stream} ${to}`))] };
}
