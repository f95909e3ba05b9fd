import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Address, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { patient } from '@loom/test';
import { openVault } from '@loom/vault';
import { all, job, submitted, world } from '../../../../packages/log/test/world.ts';
import { shredJob } from '../../src/consumers/shred.ts';

/** All bytes of the store's files. */
async function bytesUnder(folder: string): Promise<Buffer> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name)));
  return Buffer.concat(await Promise.all(contents));
}

/** The job's wrapped key as the bucket holds it. */
async function wrappedKey(log: Log, at: Address): Promise<string> {
  const subject = `$JS.API.DIRECT.GET.KV_loom_keys.$KV.loom_keys.content.${at.tenant}.${at.stream}`;
  return (await log.connection.request(subject, '', patient)).json<{ wrapped: string }>().wrapped;
}

test('a shredded job cannot be opened by anybody any more, its wrapped key is in no store file, and the shredding is on record once', async () => {
  await using log = await world();
  const [gateway, retention] = [await log.log('gateway'), await log.log('retention')];
  const at = job();
  await gateway.append(at, submitted('CANARY brief'));
  const orchestrator = await log.log('orchestrator');
  const [first] = await all(orchestrator.readClear(at));
  await orchestrator.snapshots.keep(at, { fold: 'some', seq: first?.seq ?? 0, state: Buffer.from('CANARY state') });
  const vault = await openVault({
    connection: retention.connection,
    rootKeyFile: join(log.storeDir, '..', 'root.key'),
  });
  const wrapped = await wrappedKey(retention, at);
  assert.ok((await bytesUnder(log.storeDir)).includes(wrapped));
  await shredJob({ vault, log: retention }, at.tenant, at.stream);
  await shredJob({ vault, log: retention }, at.tenant, at.stream);
  assert.not.ok((await bytesUnder(log.storeDir)).includes(wrapped));
  assert.is(await orchestrator.snapshots.find(at, 'some'), 'none');
  const fresh = await log.log('orchestrator');
  const failure = await all(fresh.read(at)).then(
    () => 'opened',
    (cause: unknown) => LoomError.from(cause).code,
  );
  assert.is(failure, 'key_destroyed');
  const shredded = (await all(retention.readClear(at))).filter((fact) => fact.type === 'content.shredded');
  assert.is(shredded.length, 1);
});

test.run();
