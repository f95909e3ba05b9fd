import { stat } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stack, type Stack } from '@loom/test';
import { startStack } from '../../src/stack/stack.ts';
import { isAlive } from '../../src/stack/process.ts';
import { layout } from '../../src/stack/files.ts';
import { findNatsServer } from '../../src/parts/nats.ts';

const test = suite<{ loom: Stack }>('the embedded stack');

test.before(async (context) => {
  context.loom = await stack({ sandbox: false });
});
test.after(async (context) => {
  await context.loom[Symbol.asyncDispose]();
});

async function ready(loom: Stack, service: string): Promise<number> {
  const port = loom.state().healthPorts[service];
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
}

test('every service is ready on its own port', async ({ loom }) => {
  for (const service of Object.keys(loom.state().healthPorts)) assert.is(await ready(loom, service), 200, service);
});

test('the gateway takes a token of the local issuer and refuses a call without one', async ({ loom }) => {
  const authorization = `Bearer ${await loom.token({ person: 'p', tenant: 'one' })}`;
  assert.is((await fetch(`${loom.url}/v1/jobs`, { headers: { authorization } })).status, 200);
  assert.is((await fetch(`${loom.url}/v1/jobs`)).status, 401);
});

test('keys and passwords are readable by their owner alone', async ({ loom }) => {
  const files = layout(loom.home);
  for (const file of [files.rootKey, files.poolKey, files.issuerKey, files.secrets]) {
    assert.is((await stat(file)).mode & 0o077, 0, file);
  }
});

test('a service is told its own secrets and no others', ({ loom }) => {
  const sandbox = loom.environment('sandbox');
  assert.is(sandbox['LOOM_PG_URL'], undefined);
  assert.is(sandbox['LOOM_ROOT_KEY_FILE'], undefined);
  assert.is(loom.environment('gateway')['LOOM_POOL_PRIVATE_KEY_FILE'], undefined);
  assert.not.equal(loom.environment('billing')['LOOM_NATS_PASSWORD'], loom.environment('audit')['LOOM_NATS_PASSWORD']);
});

test('a second stack on the same folder is refused while the first is up', async ({ loom }) => {
  const options = { home: loom.home, nats: await findNatsServer(), sandbox: null };
  const message = await startStack(options).then(
    () => 'started',
    (cause: Error) => cause.message,
  );
  assert.match(message, /is up already/);
});

test('split, a service is killed and started again without the others noticing', async () => {
  await using loom = await stack({ sandbox: false, split: true });
  const before = loom.state().pids;
  await loom.kill('billing');
  assert.not.ok(isAlive(before['billing'] ?? 0));
  await loom.restart('billing');
  const after = loom.state().pids;
  assert.is(after['gateway'], before['gateway']);
  assert.is.not(after['billing'], before['billing']);
  assert.is(await ready(loom, 'billing'), 200);
});

test.run();
