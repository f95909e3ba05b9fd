/**
 * Writes what follows from `facts/*.avsc`: `generated.ts`, the TypeScript types, and `docs/events.md`, what a reader of the log has to know.
 * `--check` writes nothing and exits 1 when a file differs from what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { faults } from './check.ts';
import { currentFacts } from './files.ts';
import { reference } from './reference.ts';
import { render } from './render.ts';
import type { AvscFact } from './schema.ts';

const root = join(import.meta.dirname, '../..');
const template = join(root, 'schemas/events.template.md');

/** Every generated file, by path. */
const filesOf = (facts: readonly AvscFact[]): ReadonlyMap<string, string> =>
  new Map([
    [join(root, 'schemas/src/generated.ts'), render(facts)],
    [join(root, 'docs/events.md'), reference(facts, readFileSync(template, 'utf8'))],
  ]);

function main(check: boolean): number {
  const facts = currentFacts();
  const wrong = faults(facts);
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) return 1;
  const files = [...filesOf(facts)];
  if (check) return files.filter(([file, text]) => differs(file, text)).length === 0 ? 0 : 1;
  for (const [file, text] of files) writeFileSync(file, text);
  return 0;
}

function differs(file: string, text: string): boolean {
  if (readFileSync(file, 'utf8') === text) return false;
  console.error(`${relative(root, file)} is out of date: run npm run generate`);
  return true;
}

process.exitCode = main(process.argv.includes('--check'));
