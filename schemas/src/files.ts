import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AvscFact } from './schema.ts';

const folder = join(import.meta.dirname, '..');

/** The fact schemas of a folder, by file name. The folder need not exist. */
export function readFacts(path: string): readonly AvscFact[] {
  return list(path)
    .filter((name) => name.endsWith('.avsc'))
    .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as AvscFact);
}

/** The schemas that are written today. */
export const currentFacts = (): readonly AvscFact[] => readFacts(join(folder, 'facts'));

/** The schemas that each release brought, oldest release first. */
export function releases(path: string = join(folder, 'released')): readonly (readonly AvscFact[])[] {
  return list(path).map((release) => readFacts(join(path, release)));
}

/** Every schema that a release ever wrote, oldest release first. */
export const releasedFacts = (path?: string): readonly AvscFact[] => releases(path).flat();

function list(path: string): string[] {
  try {
    return readdirSync(path).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}
