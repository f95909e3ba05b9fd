import { readFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeEnvironment, nodeFlags } from '@loom/service';

for (const launcher of ['loom', 'deploy/images/run']) {
  test(`${launcher} runs services under the same flags of Node, in the same environment`, async () => {
    const text = await readFile(new URL(`../../../${launcher}`, import.meta.url), 'utf8');
    for (const flag of nodeFlags) assert.match(text, flag);
    for (const [name, value] of Object.entries(nodeEnvironment)) assert.match(text, `export ${name}=${value}\n`);
  });
}

test.run();
