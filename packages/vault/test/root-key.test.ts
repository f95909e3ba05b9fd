import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureRootKeyFile, fileRootKey } from '../src/root-key.ts';
import { codeOf } from './support.ts';

async function withFolder(use: (file: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'loom-root-'));
  try {
    await use(join(folder, 'keys', 'root.key'), join(folder, 'keys'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the root key file is made once, for its owner alone, whoever races', () =>
  withFolder(async (file, folder) => {
    await Promise.all(Array.from({ length: 10 }, () => ensureRootKeyFile(file)));
    const bytes = await readFile(file);
    await ensureRootKeyFile(file);
    assert.is(bytes.length, 32);
    assert.equal(await readFile(file), bytes);
    assert.is((await stat(file)).mode & 0o777, 0o600);
    assert.equal(await readdir(folder), ['root.key']);
  }));

test('a file that others may read, of another size or missing is refused', () =>
  withFolder(async (file) => {
    assert.is(await codeOf(() => fileRootKey(file)), 'root_key_unreadable');
    await ensureRootKeyFile(file);
    await chmod(file, 0o640);
    assert.is(await codeOf(() => fileRootKey(file)), 'root_key_unreadable');
    assert.is(await codeOf(() => ensureRootKeyFile(file)), 'root_key_unreadable');
    await chmod(file, 0o600);
    await writeFile(file, 'short');
    assert.is(await codeOf(() => fileRootKey(file)), 'root_key_unreadable');
  }));

test('a wrapped key unwraps under its context, in any order of its entries, and under no other', () =>
  withFolder(async (file) => {
    await ensureRootKeyFile(file);
    const root = await fileRootKey(file);
    const { plain, wrapped } = await root.generate({ tenant: 't1', job: 'job_0a' });
    assert.not.ok(wrapped.includes(plain));
    assert.equal(await root.unwrap(wrapped, { job: 'job_0a', tenant: 't1' }), plain);
    assert.is(await codeOf(() => root.unwrap(wrapped, { tenant: 't1', job: 'job_0b' })), 'bad_seal');
    assert.is(await codeOf(() => root.unwrap(wrapped, { tenant: 't1' })), 'bad_seal');
  }));

test.run();
