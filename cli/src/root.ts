/** Where things lie: the checkout, what is downloaded into it (`.loom/bin`, `.loom/cache`), and a stack's own data. */
import { join, resolve } from 'node:path';

/** The checkout this file is part of. */
export const root = resolve(import.meta.dirname, '../..');
/** Programs brought in by Loom. */
export const binDir = join(root, '.loom', 'bin');
/** Downloads in the making. */
export const cacheDir = join(root, '.loom', 'cache');

/** Folder of a stack's data: LOOM_HOME, else `.loom` in the checkout. */
export function homeOf(env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env['LOOM_HOME'] ?? join(root, '.loom'));
}
