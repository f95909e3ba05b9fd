import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Keys } from '../../src/index.ts';
import { type Bench, bench, codeOf } from '../support.ts';

const gateway = { key: '0', source: 'gateway' };
const text = Buffer.from('what nobody else may read');

async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  await using made = await bench();
  await use(made);
}

test('two vaults that race for a key come to the same one', () =>
  withBench(async ({ vault }) => {
    const [one, two] = await Promise.all([vault(), vault()]);
    for (let i = 0; i < 20; i++) {
      const [a, b] = await Promise.all([one.open(`t${i}`, `job_0${i}`), two.open(`t${i}`, `job_0${i}`)]);
      for (const key of ['content', 'tenant'] as const) {
        const sealed = a.sealer(gateway).seal(key, 'context', text);
        assert.equal(b.sealer(gateway).open(key, 'context', sealed), text);
      }
    }
  }));

test('what was opened is at hand without waiting, with a person once it was asked for, until it is destroyed', () =>
  withBench(async ({ vault }) => {
    const one = await vault();
    assert.is(one.held('t1', 'job_0a'), null);
    const opened = await one.open('t1', 'job_0a');
    assert.is(one.held('t1', 'job_0a'), opened);
    assert.is(one.held('t1', 'job_0b'), null);
    assert.is(one.held('t1', 'job_0a', 'user_1'), null);
    await one.person('user_1');
    assert.is(one.held('t1', 'job_0a', 'user_1'), opened);
    await one.destroy({ tenant: 't1', job: 'job_0a' });
    assert.is(one.held('t1', 'job_0a'), null);
  }));

test('account and system are sealed under the tenant key itself', () =>
  withBench(async ({ vault }) => {
    const one = await vault();
    const account = await one.open('t1', 'account');
    const job = await one.open('t1', 'job_0a');
    assert.equal(account.hmac('id', text), (await one.open('t1', 'account')).hmac('id', text));
    assert.not.equal(account.hmac('id', text), job.hmac('id', text));
    const artifact = job.sealer(gateway).seal('tenant', 'context', text);
    assert.equal(account.sealer(gateway).open('tenant', 'context', artifact), text);
    assert.equal(await codeOf(() => one.open('_', 'system')), 'none');
  }));

test('sealed bytes open in their own field, fact, job and tenant alone', () =>
  withBench(async ({ vault }) => {
    const one = await vault();
    const [own, otherJob, otherTenant] = await Promise.all([
      one.open('t1', 'job_0a'),
      one.open('t1', 'job_0b'),
      one.open('t2', 'job_0a'),
    ]);
    const context = 't1/job_0a/job.submitted/0/brief';
    const sealed = own.sealer(gateway).seal('content', context, text);
    assert.equal(own.sealer(gateway).open('content', context, sealed), text);
    const swapped = (keys: Keys, at: string) => codeOf(() => keys.sealer(gateway).open('content', at, sealed));
    assert.is(await swapped(own, 't1/job_0a/job.submitted/0/metadata'), 'bad_seal');
    assert.is(await swapped(own, 't1/job_0a/job.submitted/1/brief'), 'bad_seal');
    assert.is(await swapped(otherJob, context), 'bad_seal');
    assert.is(await swapped(otherTenant, context), 'bad_seal');
  }));

test('any flipped bit, a cut, and another kind of key are refused', () =>
  withBench(async ({ vault }) => {
    const keys = await (await vault()).open('t1', 'job_0a');
    const sealer = keys.sealer(gateway);
    const sealed = sealer.seal('content', 'context', text);
    for (let i = 0; i < sealed.length; i++) {
      const damaged = Buffer.from(sealed);
      damaged[i] = (damaged[i] ?? 0) ^ 1;
      assert.is(await codeOf(() => sealer.open('content', 'context', damaged)), 'bad_seal', `byte ${i}`);
      assert.is(
        await codeOf(() => sealer.open('content', 'context', sealed.subarray(0, i))),
        'bad_seal',
        `cut at ${i}`,
      );
    }
    assert.is(await codeOf(() => sealer.open('tenant', 'context', sealed)), 'bad_seal');
    assert.is(await codeOf(() => sealer.open('call', 'context', sealed)), 'bad_seal');
  }));

test('a wrapped key moved to another name does not unwrap', () =>
  withBench(async ({ vault, manager }) => {
    await (await vault()).open('t1', 'job_0a');
    const stored = await manager.streams.getMessage('KV_loom_keys', {
      last_by_subj: '$KV.loom_keys.content.t1.job_0a',
    });
    await manager.jetstream().publish('$KV.loom_keys.content.t1.job_0b', stored?.data ?? '');
    const other = await vault();
    assert.is(await codeOf(() => other.open('t1', 'job_0b')), 'bad_seal');
  }));

test('a destroyed key is in no file of the store, and is never made again', () =>
  withBench(async ({ server, vault, manager }) => {
    const one = await vault();
    const keys = await one.open('t1', 'job_0a');
    const sealed = keys.sealer(gateway).seal('content', 'context', text);
    const stored = await manager.streams.getMessage('KV_loom_keys', {
      last_by_subj: '$KV.loom_keys.content.t1.job_0a',
    });
    const base64 = stored?.json<{ wrapped: string }>().wrapped ?? '';
    assert.is(await filesWith(server.storeDir, Buffer.from(base64)), 1);
    await one.destroy({ tenant: 't1', job: 'job_0a' });
    await one.destroy({ tenant: 't1', job: 'job_0a' });
    assert.is(await filesWith(server.storeDir, Buffer.from(base64)), 0);
    assert.is(await filesWith(server.storeDir, Buffer.from(base64, 'base64')), 0);
    for (const each of [one, await vault()]) assert.is(await codeOf(() => each.open('t1', 'job_0a')), 'key_destroyed');
    const neighbour = await one.open('t1', 'job_0b');
    assert.is(await codeOf(() => neighbour.sealer(gateway).open('content', 'context', sealed)), 'bad_seal');
  }));

test('a job whose tenant key was destroyed does not open either', () =>
  withBench(async ({ vault }) => {
    const one = await vault();
    await one.open('t1', 'job_0a');
    await one.destroy({ tenant: 't1' });
    assert.is(await codeOf(() => one.open('t1', 'job_0a')), 'key_destroyed');
    assert.is(await codeOf(() => one.open('t1', 'account')), 'key_destroyed');
  }));

test('a person whose key was destroyed opens as empty everywhere, and is sealed no more', () =>
  withBench(async ({ vault }) => {
    const one = await vault();
    const person = 'user_2x.*>/é';
    assert.ok(await one.person(person));
    const scope = { ...gateway, person };
    const keys = await one.open('t1', 'job_0a');
    const sealed = keys.sealer(scope).seal('person', 'context', text);
    assert.equal(keys.sealer(scope).open('person', 'context', sealed), text);
    await one.destroy({ person });
    for (const each of [one, await vault()]) {
      assert.not.ok(await each.person(person));
      const sealer = (await each.open('t1', 'job_0a')).sealer(scope);
      assert.equal(sealer.open('person', 'context', sealed).subarray(10), Buffer.from([0]));
      assert.is(await codeOf(() => sealer.seal('person', 'context', text)), 'key_destroyed');
    }
  }));

/** How many files hold the bytes. */
async function filesWith(dir: string, bytes: Buffer): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = await Promise.all(files.map(async (file) => (await readFile(file)).includes(bytes)));
  return found.filter(Boolean).length;
}

test.run();
