/**
 * Owns `manifest.json` of an export: how far each stream was written, and what the export is of.
 * M1  It is replaced whole, after the parts that it speaks of are on disk: a part that it does not count was never written.
 * M2  A folder holds one export: another format, tenant or span, or a log that was restored since, is refused.
 */
import { glob, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';

export const formats = ['parquet', 'avro', 'ndjson'] as const;
export type Format = (typeof formats)[number];

/** What is exported; times are RFC 3339, `until` is not part of it. */
export interface Wish {
  readonly format: Format;
  readonly tenant: string | null;
  readonly since: string | null;
  readonly until: string | null;
}

interface Position {
  readonly incarnation: string;
  /** Last sequence looked at. */
  readonly seq: number;
}

export interface Manifest extends Wish {
  readonly streams: Readonly<Record<string, Position>>;
  /** Times at which parts were finished: parts are named by its count. */
  readonly rounds: number;
  readonly facts: number;
  /** Facts that nobody can read: the log has them damaged, or in a form that this version does not know. */
  readonly unreadable: readonly { readonly log: string; readonly seq: number; readonly code: string }[];
}

const fileOf = (folder: string): string => join(folder, 'manifest.json');

/** The export of the folder as it stands; a new one where there is none. @throws Failure 2 for a folder of another export */
export async function openManifest(folder: string, wish: Wish): Promise<Manifest> {
  await mkdir(folder, { recursive: true });
  const text = await readFile(fileOf(folder), 'utf8').catch(() => null);
  if (text === null) return { ...wish, streams: {}, rounds: 0, facts: 0, unreadable: [] };
  const found = JSON.parse(text) as Manifest;
  for (const name of ['format', 'tenant', 'since', 'until'] as const)
    if (found[name] !== wish[name])
      throw new Failure(
        2,
        `${folder} holds an export with ${name} ${found[name] ?? 'not set'}, not ${wish[name] ?? 'unset'}`,
        ['ask for the same again to go on with it, or name another folder'],
      );
  return found;
}

/** @throws Failure 1 when the stream is not the one that the export began with */
export function positionIn(manifest: Manifest, stream: string, incarnation: string): number {
  const known = manifest.streams[stream];
  if (known === undefined || known.incarnation === incarnation) return known?.seq ?? 0;
  throw new Failure(1, `${stream} was restored since this export began: its sequences are others now`, [
    'name another folder: the export begins anew',
  ]);
}

export const partName = (round: number, format: Format): string => `part-${String(round).padStart(6, '0')}.${format}`;

/** Removes what a run that was killed left behind: parts that the manifest does not count, and half-written files. */
export async function clearLeftovers(folder: string, { rounds }: Manifest): Promise<void> {
  for await (const file of glob('day=*/tenant=*/{part-*,.part-*}', { cwd: folder })) {
    const round = Number(/\/part-(\d+)\.[a-z]+$/.exec(file)?.[1] ?? Infinity);
    if (round > rounds) await rm(join(folder, file), { force: true });
  }
}

export const writeManifest = (folder: string, manifest: Manifest): Promise<void> =>
  writeWhole(fileOf(folder), `${JSON.stringify(manifest, null, 2)}\n`);

/** Whole and on disk, or not at all. */
export async function writeWhole(file: string, bytes: string | Uint8Array): Promise<void> {
  const next = file.replace(/([^/]+)$/, '.$1.next');
  const handle = await open(next, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
}
