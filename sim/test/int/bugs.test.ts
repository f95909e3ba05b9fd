/** A simulation that does not find what is planted would prove nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bugs, seeds } from '../../src/index.ts';
import type { BugName } from '../../src/index.ts';

const most = 200;

for (const name of Object.keys(bugs) as BugName[])
  test(`a Loom with the bug ${name} is found out within ${most} seeds`, async () => {
    const { seeds: needed, found } = await seeds(1, most, { bug: name });
    console.log(`${name}: ${needed} seeds: ${found[0]?.findings[0]}`);
    assert.ok(found.length > 0);
  });

test.run();
