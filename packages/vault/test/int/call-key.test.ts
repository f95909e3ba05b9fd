import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { callSealer, generatePoolKeys, openCallKey } from '../../src/index.ts';
import { bench, codeOf } from '../support.ts';

const text = Buffer.from('print(6 * 7)');
const context = 't1/job_0a/run.requested/a1-1-0-1';

test('who holds a call key opens that call, both ways, and nothing else', async () => {
  await using made = await bench();
  const vault = await made.vault();
  const job = await vault.open('t1', 'job_0a');
  const asked = job.sealer({ key: 'a1-1-0-1', source: 'orchestrator' });
  const args = asked.seal('call', 'args', text);
  const brief = asked.seal('content', 'brief', text);

  const sealedKey = await vault.sealCallKey(job.callKey('a1-1-0-1'), context);
  const own = { key: 'a1-1-0-1', source: 'sandbox' };
  const sandbox = callSealer(await openCallKey(made.pool.privateKey, sealedKey, context), own);
  assert.equal(sandbox.sealer(own).open('call', 'args', args), text);

  const result = sandbox.sealer(own).seal('content', 'result', text);
  assert.is(result[1], 1);
  assert.equal(job.sealer(own).open('content', 'result', result), text);

  const other = job.sealer({ key: 'a1-1-1-1', source: 'sandbox' }).seal('content', 'result', text);
  assert.is(await codeOf(() => sandbox.sealer(own).open('content', 'result', other)), 'bad_seal');
  assert.is(await codeOf(() => sandbox.sealer(own).open('content', 'brief', brief)), 'bad_seal');
  for (const name of ['tenant', 'person'] as const)
    assert.is(await codeOf(() => sandbox.sealer(own).seal(name, 'x', text)), 'bad_seal');
  assert.is(await codeOf(() => sandbox.sealer({ ...own, key: 'a1-1-1-1' }).seal('call', 'x', text)), 'bad_seal');
  assert.is(await codeOf(() => sandbox.callKey('a1-1-1-1')), 'bad_seal');
  assert.equal(sandbox.callKey('a1-1-0-1'), job.callKey('a1-1-0-1'));
  assert.not.equal(sandbox.hmac('ce-id', text), job.hmac('ce-id', text));
});

test('a call key opens with the private key of its pool and under its context alone', async () => {
  await using made = await bench();
  const vault = await made.vault();
  const callKey = (await vault.open('t1', 'job_0a')).callKey('a1-1-0-1');
  const sealed = await vault.sealCallKey(callKey, context);
  assert.equal(await openCallKey(made.pool.privateKey, sealed, context), callKey);
  assert.is(await codeOf(() => openCallKey(made.pool.privateKey, sealed, `${context}x`)), 'bad_seal');
  const stranger = await generatePoolKeys();
  assert.is(await codeOf(() => openCallKey(stranger.privateKey, sealed, context)), 'bad_seal');
  for (const cut of [0, 1, 20, 33, 60]) {
    assert.is(await codeOf(() => openCallKey(made.pool.privateKey, sealed.subarray(0, cut), context)), 'bad_seal');
  }
  assert.is(await codeOf(() => openCallKey('short', sealed, context)), 'config_invalid');
});

test.run();
