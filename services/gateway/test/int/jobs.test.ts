import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../../../packages/log/test/world.ts';
import { patience } from '../../src/routes/summaries.ts';
import { accepted, addressOf, completed, decide } from '../support/decider.ts';
import { body, problem } from '../support/read.ts';
import type { Job, Page } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
test.before(async () => {
  w = await world();
});
test.after(async () => w[Symbol.asyncDispose]());

const submit = async (brief: string, token?: string): Promise<Job> =>
  body<Job>(await w.post('/v1/jobs', { brief }, token === undefined ? {} : { token }));

/**
 * The first page of a list that shows the job. A list waits for what was submitted where it is asked for: one that does not show it has
 * waited for as long as it may.
 */
async function listWith(id: string, path = '/v1/jobs', token?: string): Promise<Page<Job>> {
  for (;;) {
    const began = performance.now();
    const page = await body<Page<Job>>(await w.call(path, token === undefined ? {} : { token }));
    if (page.items.some((job) => job.id === id)) return page;
    assert.ok(performance.now() - began >= patience, 'the list did not wait');
  }
}

const form = (parts: readonly (readonly [string, string | Blob, string?])[]): FormData => {
  const data = new FormData();
  for (const [name, value, file] of parts) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, value, file);
  }
  return data;
};

test('a brief becomes a queued job that can be shown and listed', async () => {
  const created = await w.post('/v1/jobs', { brief: 'Compare these.', metadata: { a: 'b' } });
  assert.is(created.status, 201);
  const { id, status, created_at: at, links } = await body<Job>(created);
  assert.match(id, /^job_0[0-9a-z]{26}$/);
  assert.equal(
    [status, links['self'], created.headers.get('location')],
    ['queued', `/v1/jobs/${id}`, `/v1/jobs/${id}`],
  );
  const job = await body<Job>(await w.call(`/v1/jobs/${id}`));
  assert.equal([job.brief, job.created_at], ['Compare these.', at]);
  const list = await listWith(id);
  assert.equal(
    list.items.map((one) => [one.id, one.brief]),
    [[id, 'Compare these.']],
  );
});

test('files come with the brief, as a form or as base64, and lie in the log under their own keys', async () => {
  const multipart = form([
    ['brief', 'Look at it.'],
    ['file', new Blob(['a,b\n1,2\n'], { type: 'text/csv' }), 'tä"b"le.csv'],
    ['file', new Blob(['x']), 'notes.md'],
    ['metadata', '{"k":"v"}'],
    ['budget_micros', '500'],
  ]);
  const created = await w.call('/v1/jobs', { method: 'POST', body: multipart });
  assert.is(created.status, 201);
  const attachments = [
    { name: 'b.txt', media_type: 'text/plain', content_base64: Buffer.from('hello').toString('base64') },
  ];
  const second = await body<Job>(await w.post('/v1/jobs', { brief: 'b', attachments }));
  const facts = await Promise.all(
    [(await body<Job>(created)).id, second.id].map((id) => w.log.get(addressOf(id), 'gateway', 'job.submitted', '0')),
  );
  const [one, two] = facts.map((fact) => (fact?.items[0]?.type === 'job.submitted' ? fact.items[0].body : null));
  assert.equal(
    one?.attachments.map(({ name, media_type, size }) => [name, media_type, size]),
    [
      ['tä"b"le.csv', 'text/csv', 8],
      ['notes.md', 'text/markdown', 1],
    ],
  );
  assert.equal([one?.metadata, one?.budget_micros, one?.owner], [{ k: 'v' }, 500, 'user_ann']);
  const file = two?.attachments[0];
  assert.is(String(file && (await w.blobs.get(file.object, file.data_key))), 'hello');
});

test('the same Idempotency-Key and body give the first answer again, another body or person is a conflict', async () => {
  const attachments = [{ name: 'a.txt', media_type: 'text/plain', content_base64: 'aGVsbG8=' }];
  const send = (brief: string, token = w.issuer.token()) =>
    w.post('/v1/jobs', { brief, attachments }, { key: 'k-1', token });
  const answers = await Promise.all([send('once'), send('once'), send('once')]);
  assert.equal(
    answers.map(({ status }) => status),
    [201, 201, 201],
  );
  const texts = new Set(await Promise.all([...answers, await send('once')].map((answer) => answer.text())));
  assert.is(texts.size, 1);
  assert.equal(await problem(await send('twice')), [409, 'idempotency_conflict', 'Idempotency-Key']);
  const other = await send('twice', w.issuer.token({ sub: 'user_bob' }));
  assert.is(other.status, 201, 'another tenant has keys of its own');
});

test('a list pages by cursor, newest first, and filters by status', async () => {
  const token = w.issuer.token({ sub: 'user_cleo' });
  const ids: string[] = [];
  for (const brief of ['1', '2', '3', '4', '5']) ids.unshift((await submit(brief, token)).id);
  await listWith(ids[0]!, '/v1/jobs?limit=2', token);
  // It waits for the one that was submitted last; those before it may lie in other streams.
  await until(async () => (await body<Page<Job>>(await w.call('/v1/jobs', { token }))).items.length === ids.length);
  const seen: string[] = [];
  let cursor: string | null = '';
  do {
    const page: Page<Job> = await body(
      await w.call(`/v1/jobs?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, { token }),
    );
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  assert.equal(seen, ids);
  assert.equal((await body<Page<Job>>(await w.call('/v1/jobs?status=completed', { token }))).items, []);
  assert.equal(await problem(await w.call('/v1/jobs?limit=101', { token })), [400, 'validation_failed', 'limit']);
  assert.equal(await problem(await w.call('/v1/jobs?cursor=x', { token })), [400, 'validation_failed', 'cursor']);
  assert.equal(await problem(await w.call('/v1/jobs?colour=red', { token })), [400, 'validation_failed', 'colour']);
});

test('the list follows what the orchestrator records', async () => {
  const { id } = await submit('To the end.');
  await decide(w, id, accepted(7));
  await decide(w, id, completed);
  const find = async () =>
    (await body<Page<Job>>(await w.call('/v1/jobs?status=completed'))).items.find((job) => job.id === id);
  await until(async () => (await find()) !== undefined);
  const found = await find();
  assert.equal([found?.status, found?.budget_micros], ['completed', 7]);
});

test("another tenant's job is not found on any route, and nothing is left behind by asking", async () => {
  const { id } = await submit('Mine.');
  const token = w.issuer.token({ sub: 'user_eve', sid: 'sess_eve' });
  const before = await w.stored();
  const gets = ['', '/events', '/transcript', '/artifacts', '/artifacts/final/x', '/artifacts.zip', '/state'];
  for (const path of gets) {
    assert.equal(await problem(await w.call(`/v1/jobs/${id}${path}`, { token })), [404, 'not_found', undefined], path);
  }
  const stream = await w.call(`/v1/jobs/${id}/events`, { token, headers: { accept: 'text/event-stream' } });
  assert.equal(await problem(stream), [404, 'not_found', undefined]);
  const posts = [
    ['/messages', { text: 'hi' }],
    ['/cancel'],
    ['/kill'],
    ['/agents/a0/kill'],
    ['/budget', { budget_micros: 1 }],
  ] as const;
  for (const [path, sent] of posts) {
    assert.equal(
      await problem(await w.post(`/v1/jobs/${id}${path}`, sent, { token })),
      [404, 'not_found', undefined],
      path,
    );
  }
  assert.equal(await w.stored(), before);
  assert.equal((await body<Page<Job>>(await w.call('/v1/jobs', { token }))).items, []);
});

test.run();
