/**
 * Writes `generated.ts`, the TypeScript types of the facts, from `facts/*.avsc`.
 * `--check` writes nothing and exits 1 when the file differs from what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faults } from './check.ts';
import { currentFacts } from './files.ts';
import { render } from './render.ts';

const target = join(import.meta.dirname, 'generated.ts');

function main(check: boolean): number {
  const facts = currentFacts();
  const wrong = faults(facts);
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) return 1;
  return check ? compare(render(facts)) : write(render(facts));
}

function compare(text: string): number {
  if (readFileSync(target, 'utf8') === text) return 0;
  console.error('schemas/src/generated.ts is out of date: run npm run generate');
  return 1;
}

function write(text: string): number {
  writeFileSync(target, text);
  return 0;
}

process.exitCode = main(process.argv.includes('--check'));
