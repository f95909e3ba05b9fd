import { LoomError } from '@loom/service';
import { openPool } from '@loom/projection';
import type { Fact } from '@loom/log';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '../../src/index.ts';
import { addressOf } from '../support/decider.ts';
import { body, problem } from '../support/read.ts';
import type { Job } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
test.before(async () => {
  w = await world({ LOOM_RATE_LIMIT: '60' });
});
test.after(async () => w[Symbol.asyncDispose]());

const token = (session: string, sub = 'user_web') => w.issuer.token({ sub, sid: session });

const csrfOf = async (session: string): Promise<string> => {
  const response = await fetch(`${w.url}/v1/jobs`, { headers: { cookie: `__session=${token(session)}` } });
  const cookie = response.headers.getSetCookie()[0] ?? '';
  assert.match(cookie, /^__Host-loom_csrf=[\w-]+\.[\w-]+; Path=\/; Secure; SameSite=Strict$/);
  return cookie.split(';')[0]?.split('=')[1] ?? '';
};

const write = (headers: Record<string, string>) =>
  fetch(`${w.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"brief":"b"}',
  });

test('a cookie session changes state with its own CSRF token in both places, and with nothing less', async () => {
  const csrf = await csrfOf('s1');
  const foreign = await csrfOf('s2');
  const session = `__session=${token('s1')}`;
  const jar = `${session}; __Host-loom_csrf=${csrf}`;
  assert.is((await write({ cookie: jar, 'x-csrf-token': csrf })).status, 201);
  const refused: Readonly<Record<string, Record<string, string>>> = {
    'no token at all': { cookie: session },
    'no header': { cookie: jar },
    'no cookie': { cookie: session, 'x-csrf-token': csrf },
    'header and cookie that differ': { cookie: jar, 'x-csrf-token': foreign },
    "another session's token": { cookie: `${session}; __Host-loom_csrf=${foreign}`, 'x-csrf-token': foreign },
    'a token of the own making': { cookie: `${session}; __Host-loom_csrf=a.b`, 'x-csrf-token': 'a.b' },
    'a cookie without its prefix': { cookie: `${session}; loom_csrf=${csrf}`, 'x-csrf-token': csrf },
    'another site': { cookie: jar, 'x-csrf-token': csrf, 'sec-fetch-site': 'cross-site' },
    'plain text': { cookie: session, 'content-type': 'text/plain' },
  };
  for (const [what, headers] of Object.entries(refused)) {
    assert.equal(await problem(await write(headers)), [403, 'csrf_failed', undefined], what);
  }
  assert.is(
    (await write({ authorization: `Bearer ${token('s1')}` })).status,
    201,
    'a bearer token is sent by no browser by itself',
  );
  assert.equal(await problem(await write({ cookie: jar, authorization: 'Basic eDp5' })), [
    401,
    'unauthenticated',
    undefined,
  ]);
  const held = await fetch(`${w.url}/v1/jobs`, { headers: { cookie: jar } });
  assert.equal(held.headers.getSetCookie(), [], 'a good cookie is left alone');
});

test('a header of 64 KiB is refused as a token, not as a request', async () => {
  assert.equal(await problem(await w.call('/v1/jobs', { token: 'a'.repeat(65_536) })), [
    401,
    'unauthenticated',
    undefined,
  ]);
});

test('what a client says of itself in headers is not believed', async () => {
  const headers = {
    'x-forwarded-for': '6.6.6.6',
    'x-user-id': 'user_bob',
    'x-tenant': 'tbob',
    'nats-msg-id': 'x',
    'content-type': 'application/json',
    'user-agent': 'u'.repeat(600),
  };
  const response = await w.call('/v1/jobs', { method: 'POST', headers, body: '{"brief":"b"}' });
  const { id } = await body<Job>(response);
  const item = (await w.log.get(addressOf(id), 'gateway', 'job.submitted', '0'))?.items[0];
  const request = item?.type === 'job.submitted' ? item.body.request : null;
  assert.equal(
    [request?.person, request?.ip, request?.user_agent, request?.action],
    ['user_ann', '127.0.0.1', 'u'.repeat(512), 'POST /v1/jobs'],
  );
});

test('an account and each of its sessions are recorded once, before what they do', async () => {
  const sub = 'user_new';
  const call = (sid: string) => w.post('/v1/jobs', { brief: 'b' }, { token: token(sid, sub) });
  await Promise.all([call('a'), call('a'), call('b')]);
  const at = { tenant: addressOf('', sub).tenant, stream: 'account' };
  const facts: Fact[] = [];
  for await (const fact of w.log.read(at)) facts.push(fact);
  assert.equal(
    facts.map(({ type }) => type),
    ['account.opened', 'session.opened', 'session.opened'],
  );
  const owner = facts[0]?.items[0];
  assert.is(owner?.type === 'account.opened' && owner.body.owner, sub);
});

test('every answer carries the headers that browsers heed', async () => {
  for (const response of [await w.call('/v1/jobs'), await fetch(`${w.url}/docs`), await w.call('/v1/none')]) {
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.is(response.headers.get('x-content-type-options'), 'nosniff');
    assert.is(response.headers.get('strict-transport-security'), null, 'there is no TLS here');
  }
});

test('health, readiness, metrics, security.txt, the API description and its page are open to all', async () => {
  const get = async (path: string) => {
    const response = await fetch(`${w.url}${path}`);
    assert.is(response.status, 200, path);
    return response.text();
  };
  assert.is((JSON.parse(await get('/healthz')) as { status: string }).status, 'ok');
  assert.equal((JSON.parse(await get('/readyz')) as { parts: object }).parts, {
    log: true,
    database: true,
    loop: true,
  });
  assert.match(await get('/metrics'), /http_server_request_duration_seconds_bucket/);
  const text = await get('/.well-known/security.txt');
  assert.match(text, /^Contact: mailto:/);
  const expires = Date.parse(/^Expires: (.*)$/m.exec(text)?.[1] ?? '');
  assert.ok(expires > Date.now() && expires < Date.now() + 365 * 86_400_000);
  assert.match(await get('/'), /Loom/);
  assert.match(await get('/docs'), /\/v1\/jobs\/\{id\}\/events/);
  assert.not.match(await get('/docs'), /<script/);
});

test('the API description tells every route, the form of a submission and the idempotency header', async () => {
  const response = await fetch(`${w.url}/openapi.json`);
  const { paths } = (await response.json()) as {
    paths: Record<string, Record<string, { parameters?: { name: string }[]; requestBody?: { content: object } }>>;
  };
  const documented = [
    '',
    '/{id}',
    '/{id}/events',
    '/{id}/transcript',
    '/{id}/state',
    '/{id}/artifacts',
    '/{id}/artifacts.zip',
    '/{id}/artifacts/{path}',
    '/{id}/messages',
    '/{id}/cancel',
    '/{id}/kill',
    '/{id}/agents/{agent}/kill',
    '/{id}/budget',
    '/{id}/fork',
    '/{id}/diff/{other}',
  ].map((path) => `/v1/jobs${path}`);
  assert.equal(Object.keys(paths).toSorted(), [...documented, '/v1/usage', '/v1/usage/events'].toSorted());
  assert.equal(Object.keys(paths['/v1/jobs']?.['post']?.requestBody?.content ?? {}), [
    'application/json',
    'multipart/form-data',
  ]);
  assert.ok(paths['/v1/jobs/{id}/cancel']?.['post']?.parameters?.some(({ name }) => name === 'Idempotency-Key'));
});

test('the read model shows a tenant its own rows alone, even to a query that names none', async () => {
  await w.call('/v1/jobs');
  const pool = openPool(w.databaseUrl, 'test', 1);
  try {
    assert.is((await pool.query('select * from gateway.jobs')).rowCount, 0);
    const fault = (sql: string) =>
      pool.query(sql).then(
        () => '',
        (cause: Error) => cause.message,
      );
    assert.match(
      await fault("insert into gateway.jobs values ('t', 'j', 'e', 'o', 's', now(), now(), 0, 0, 0, 0)"),
      /row-level security/,
    );
    assert.match(await fault('delete from gateway.jobs'), /permission denied/);
  } finally {
    await pool.end();
  }
});

test('a person over the rate is told when to come again, and nobody else is held up', async () => {
  const noisy = token('n', 'user_noisy');
  const answers = await Promise.all(Array.from({ length: 70 }, () => w.call('/v1/jobs', { token: noisy })));
  const limited = answers.filter(({ status }) => status === 429);
  assert.is(limited.length, 10);
  assert.ok(Number(limited[0]?.headers.get('retry-after')) > 0);
  assert.equal(limited[0] && (await problem(limited[0])), [429, 'rate_limited', undefined]);
  assert.is((await w.call('/v1/jobs', { token: token('q', 'user_quiet') })).status, 200);
});

test('a setting that cannot work stops the start and is named, without its value', async () => {
  const refused = async (env: Record<string, string>) => {
    const cause: unknown = await start(env).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(cause, LoomError);
    return (cause as LoomError).message;
  };
  const message = await refused({ LOOM_JWT_KEY: w.issuer.pem.replaceAll('\n', '\\n'), LOOM_NATS_PASSWORD: 'hush' });
  for (const name of [
    'LOOM_JWT_KEY',
    'LOOM_NATS_URL',
    'LOOM_PG_URL',
    'LOOM_ROOT_KEY_FILE',
    'LOOM_AUTHORIZED_PARTIES',
  ]) {
    assert.match(message, new RegExp(name));
  }
  assert.not.match(message, /hush|BEGIN/);
});

test.run();
