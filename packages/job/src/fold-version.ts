import { openedSchemas, schemas } from '@loom/schemas';
import { hash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

const here = import.meta.dirname;

/**
 * Which fold made a state, hex: SHA-256 over the sources of this package, which run as they are, the fingerprints of all schemas, and the release of the
 * library that packs states. Nobody has to remember to raise it; a change that alters no fold makes a few states be folded again, which costs nothing but time.
 */
export const FOLD = hash(
  'sha256',
  JSON.stringify([sources(), [...schemas.keys()], [...openedSchemas.keys()], packer()]),
  'hex',
);

function sources(): readonly (readonly [string, string])[] {
  const files = globSync('**/*.ts', { cwd: here }).toSorted();
  return files.map((file) => [file, readFileSync(`${here}/${file}`, 'utf8')] as const);
}

/** What the library that packs states says of itself, its version among it. */
function packer(): string {
  const file = findPackageJSON('msgpackr', import.meta.url);
  if (file === undefined) throw new Error('msgpackr is not installed');
  return readFileSync(file, 'utf8');
}
