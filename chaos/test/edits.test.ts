import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controls, edited, runLedger, shortLeases, staleReads } from '../src/controls.ts';

test('every edit of a control build still finds its place, and changes it', async () => {
  for (const edit of [...Object.values(controls).flat(), ...shortLeases, staleReads, runLedger]) {
    const source = await readFile(fileURLToPath(new URL(`../../${edit.file}`, import.meta.url)), 'utf8');
    assert.is.not(edited(source, [edit]), source, edit.file);
  }
});

test('an edit whose place is gone is told', () => {
  assert.throws(() => edited('const other = 1;', [staleReads]), /has changed/);
});

test.run();
