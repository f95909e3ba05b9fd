import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Progress } from '../src/output.ts';
import { mirrorOf } from '../src/parts/debian.ts';
import { checkSum, download } from '../src/parts/download.ts';
import { engineSocket } from '../src/parts/engine.ts';
import { imageTag } from '../src/parts/image.ts';
import { compareVersions } from '../src/parts/nats.ts';

const quiet: Progress = { at: () => undefined, done: () => undefined, failed: () => undefined };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A server on loopback that answers every request with `text`, or never. */
async function server(text: string | null): Promise<AsyncDisposable & { readonly url: string }> {
  const http = createServer((_, response) => {
    if (text !== null) response.end(text);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const dispose = async (): Promise<void> => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/file`, [Symbol.asyncDispose]: dispose };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no refusal',
    (cause: Error) => cause.message,
  );
}

test('a download with the pinned sum is taken', async () => {
  await using at = await server('archive');
  assert.is((await download(at.url, sha256('archive'), quiet)).toString(), 'archive');
});

test('a download with another sum is refused, and both sums are named', async () => {
  await using at = await server('tampered');
  const message = await refusal(download(at.url, sha256('archive'), quiet));
  assert.match(message, sha256('archive'));
  assert.match(message, sha256('tampered'));
});

test('a server that does not answer is given up after the connect time-out', async () => {
  await using at = await server(null);
  assert.match(await refusal(download(at.url, sha256(''), quiet, 100)), /no answer within 0.1 s/);
});

test('one flipped bit changes the verdict on bytes', () => {
  checkSum(Buffer.from('a'), sha256('a'), 'x');
  assert.throws(() => checkSum(Buffer.from('b'), sha256('a'), 'x'), /refused/);
});

test('versions are compared as numbers', () => {
  assert.is(compareVersions('2.14.3', '2.14.3'), 0);
  assert.is(compareVersions('2.9.10', '2.14.3'), -1);
  assert.is(compareVersions('2.15.1', '2.14.3'), 1);
});

test("the mirror is the machine's main archive, not its security or updates suite", () => {
  const targets =
    'http://m.test/debian-security/|stable-security\nhttp://m.test/debian/|stable-updates\nhttp://m.test/debian/|stable\n';
  assert.is(mirrorOf(targets), 'http://m.test/debian/');
  assert.is(mirrorOf('http://m.test/ubuntu/|noble\n'), null);
});

test('the engine is found by LOOM_DOCKER_SOCKET, then DOCKER_HOST, then the usual place', () => {
  assert.is(engineSocket({ LOOM_DOCKER_SOCKET: '/a', DOCKER_HOST: 'unix:///b' }), '/a');
  assert.is(engineSocket({ DOCKER_HOST: 'unix:///b' }), '/b');
  assert.is(engineSocket({ DOCKER_HOST: 'tcp://h:1' }), '/var/run/docker.sock');
});

test('the image is named by its recipe, the same each time', async () => {
  assert.match(await imageTag(), /^loom-sandbox:[0-9a-f]{12}$/);
  assert.is(await imageTag(), await imageTag());
});

test.run();
