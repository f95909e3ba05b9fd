import { connect } from 'node:net';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { body } from '../support/read.ts';
import type { Job } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
test.before(async () => {
  w = await world({ LOOM_RATE_LIMIT: '1000000' });
});
test.after(async () => w[Symbol.asyncDispose]());

/** Sends bytes as they are; what comes back until the line closes. */
const send = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(w.url).port), '127.0.0.1', () => socket.write(bytes));
    const done = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    };
    socket
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('close', done)
      .on('error', reject)
      .setTimeout(30_000, done);
  });

const runs = process.env['LOOM_NIGHTLY'] === '1' ? 5_000 : 150;

test('any JSON at all is answered without a fault of ours', async () => {
  const field = fc.constantFrom('brief', 'engagement', 'budget_micros', 'models', 'attachments', 'metadata', 'x');
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.array(fc.dictionary(fc.constantFrom('name', 'media_type', 'content_base64'), fc.jsonValue())),
  );
  const path = fc.constantFrom(
    '',
    '/x',
    '/job_000000000000000000000000000/messages',
    '/job_000000000000000000000000000/budget',
  );
  await fc.assert(
    fc.asyncProperty(path, fc.oneof(fc.dictionary(field, value), fc.jsonValue()), async (to, sent) => {
      const { status } = await w.post(`/v1/jobs${to}`, sent);
      assert.ok(status < 500, String(status));
    }),
    { numRuns: runs },
  );
});

test('half a surrogate pair in a brief is mended, and the call can be repeated', async () => {
  const send = () => w.post('/v1/jobs', { brief: 'a\ud800b', metadata: { '\udc00': '\ud800' } }, { key: 'half' });
  const first = await body<Job>(await send());
  assert.equal(first, await body<Job>(await send()));
  assert.is((await body<Job>(await w.call(`/v1/jobs/${first.id}`))).brief, 'a\ufffdb');
});

test('a body nested beyond reason is refused', async () => {
  const deep = `{"brief":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const response = await w.call('/v1/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: deep,
  });
  assert.is(response.status, 400);
});

test('what is hardly HTTP is refused in HTTP', async () => {
  const auth = `host: x\r\nauthorization: Bearer ${w.issuer.token()}\r\n`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ['\0\0\0\r\n\r\n', /^HTTP\/1.1 400 /],
    ['GET / HTTP/9.9\r\n\r\n', /^HTTP\/1.1 (400|505) /],
    [`GET /v1/jobs/%ff ${'HTTP/1.1'}\r\n${auth}connection: close\r\n\r\n`, /^HTTP\/1.1 (400|404) /],
    [`GET /v1/jobs/${'%2e%2e%2f'.repeat(20)} HTTP/1.1\r\n${auth}connection: close\r\n\r\n`, /^HTTP\/1.1 404 /],
    [`GET /v1/jobs?limit=1&limit=2 HTTP/1.1\r\n${auth}connection: close\r\n\r\n`, /^HTTP\/1.1 400 /],
    [
      `POST /v1/jobs HTTP/1.1\r\n${auth}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1.1 400 /,
    ],
    [`POST /v1/jobs HTTP/1.1\r\n${auth}content-length: -1\r\n\r\n`, /^HTTP\/1.1 400 /],
    [`GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1.1 431 /],
    [`GET / HTTP/1.1\r\nhost: x\r\na\0b: c\r\n\r\n`, /^HTTP\/1.1 400 /],
  ];
  for (const [bytes, expected] of cases) assert.match(await send(bytes), expected, JSON.stringify(bytes.slice(0, 60)));
  assert.is((await fetch(`${w.url}/healthz`)).status, 200);
});

test.run();
