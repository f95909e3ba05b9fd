import { readFile } from 'node:fs/promises';
import { generated } from '@loom/deploy';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('what follows from the code says what the code says: run node deploy/generate.ts when it does not', async () => {
  const files = Object.entries(await generated());
  assert.is(files.length, 4);
  for (const [path, text] of files)
    assert.is(await readFile(new URL(`../../deploy/${path}`, import.meta.url), 'utf8'), text, path);
});

test.run();
