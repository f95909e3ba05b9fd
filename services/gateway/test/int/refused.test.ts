import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problem } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
let before: Record<string, number>;
test.before(async () => {
  w = await world();
  before = await w.stored();
});
test.after(async () => w[Symbol.asyncDispose]());

const raw = (body: string, type = 'application/json', path = '/v1/jobs') =>
  w.call(path, { method: 'POST', headers: { 'content-type': type }, body });

const file = (name: string, content_base64 = 'aGk=') => ({ name, media_type: 'text/plain', content_base64 });
const withFiles = (...attachments: readonly unknown[]) => ({ brief: 'b', attachments });

/** What is sent, and status, code and field of the answer. */
const table: readonly (readonly [string, unknown, readonly [number, string, string | undefined]])[] = [
  ['no brief', {}, [400, 'validation_failed', 'brief']],
  ['an empty brief', { brief: '' }, [400, 'validation_failed', 'brief']],
  ['a blank brief', { brief: ' \n' }, [400, 'validation_failed', 'brief']],
  ['a brief of the wrong type', { brief: 7 }, [400, 'validation_failed', 'brief']],
  ['a brief over 100 KB', { brief: 'x'.repeat(102_401) }, [413, 'brief_too_large', 'brief']],
  ['a brief over 100 KB in bytes alone', { brief: 'ü'.repeat(51_201) }, [413, 'brief_too_large', 'brief']],
  ['an unknown field', { brief: 'b', colour: 'red' }, [400, 'validation_failed', 'colour']],
  ['an unknown field inside', withFiles({ ...file('a'), mode: 7 }), [400, 'validation_failed', 'attachments[0].mode']],
  ['a field missing inside', withFiles({ name: 'a' }), [400, 'validation_failed', 'attachments[0].media_type']],
  ['what is not base64', withFiles(file('a', '***')), [400, 'validation_failed', 'attachments[0].content_base64']],
  ['a path as a name', withFiles(file('../a')), [400, 'validation_failed', 'attachments[0].name']],
  ['a name twice', withFiles(file('a'), file('a')), [400, 'validation_failed', 'attachments[1].name']],
  [
    'too many files',
    withFiles(...Array.from({ length: 101 }, (_, n) => file(`f${n}`))),
    [413, 'too_many_attachments', 'attachments'],
  ],
  ['a negative budget', { brief: 'b', budget_micros: -1 }, [400, 'validation_failed', 'budget_micros']],
  ['a budget that is no integer', { brief: 'b', budget_micros: 0.5 }, [400, 'validation_failed', 'budget_micros']],
  ['an unknown role', { brief: 'b', models: { poet: 'x' } }, [400, 'validation_failed', 'models.poet']],
  ['free text as an engagement', { brief: 'b', engagement: 'My client!' }, [400, 'validation_failed', 'engagement']],
  ['labels that are no strings', { brief: 'b', metadata: { a: 1 } }, [400, 'validation_failed', 'metadata.a']],
  ['a list', [], [400, 'validation_failed', '']],
  ['null', null, [400, 'validation_failed', '']],
];

for (const [what, sent, expected] of table) {
  test(`a submission with ${what} is refused`, async () => {
    assert.equal(await problem(await raw(JSON.stringify(sent))), expected);
  });
}

test('what is no JSON, not of a known type, or poisoned is refused', async () => {
  assert.equal(await problem(await raw('{"brief"')), [400, 'bad_request', undefined]);
  assert.equal(await problem(await raw('{"brief":"b","__proto__":{"a":1}}')), [400, 'bad_request', undefined]);
  assert.equal(await problem(await raw('{"brief":"b"}', 'text/plain')), [415, 'unsupported_media_type', undefined]);
  assert.equal(await problem(await raw('x', 'multipart/form-data')), [400, 'bad_request', undefined]);
  assert.equal(await problem(await raw('')), [400, 'validation_failed', '']);
});

const form = (...parts: readonly (readonly [string, string | Blob, string?])[]) => {
  const data = new FormData();
  for (const [name, value, as] of parts)
    data.append(name, ...((typeof value === 'string' ? [value] : [value, as]) as [Blob, string]));
  return w.call('/v1/jobs', { method: 'POST', body: data });
};

test('a form is held to the same rules', async () => {
  const blob = new Blob(['x']);
  assert.equal(await problem(await form(['file', blob, 'a'])), [400, 'validation_failed', 'brief']);
  assert.equal(await problem(await form(['brief', 'x'.repeat(102_401)])), [413, 'brief_too_large', 'brief']);
  assert.equal(await problem(await form(['brief', 'b'], ['colour', 'red'])), [400, 'validation_failed', 'colour']);
  assert.equal(await problem(await form(['brief', 'b'], ['upload', blob, 'a'])), [400, 'validation_failed', 'upload']);
  assert.equal(await problem(await form(['brief', 'b'], ['models', '{'])), [400, 'validation_failed', 'models']);
  assert.equal(await problem(await form(['brief', 'b'], ['budget_micros', 'lots'])), [
    400,
    'validation_failed',
    'budget_micros',
  ]);
});

test('files over the cap are refused with an answer that arrives, in a form and in JSON', async () => {
  const large = new Blob([Buffer.alloc(30_000_000)]);
  assert.equal(await problem(await form(['brief', 'b'], ['file', large, 'a'], ['file', large, 'b'])), [
    413,
    'attachment_too_large',
    'file',
  ]);
  const base64 = Buffer.alloc(52_428_801).toString('base64');
  assert.equal(await problem(await w.post('/v1/jobs', withFiles(file('a', base64)))), [
    413,
    'attachment_too_large',
    'attachments[0]',
  ]);
  const most = 'x'.repeat(72_000_000);
  assert.equal(await problem(await raw(most)), [413, 'body_too_large', undefined]);
});

test('a broken token, an unknown path and a wrong method are refused', async () => {
  assert.equal(await problem(await w.post('/v1/jobs', { brief: 'b' }, { token: 'x.y.z' })), [
    401,
    'unauthenticated',
    undefined,
  ]);
  assert.equal(await problem(await w.call('/v1/nothing')), [404, 'not_found', undefined]);
  assert.equal(await problem(await w.call('/v1/jobs/job_0x')), [404, 'not_found', undefined]);
  const wrong = await w.call('/v1/jobs', { method: 'DELETE' });
  assert.is(wrong.headers.get('allow'), 'POST, GET, HEAD');
  assert.equal(await problem(wrong), [405, 'method_not_allowed', undefined]);
  assert.equal(await problem(await w.post('/v1/jobs', { brief: 'b' }, { key: 'k'.repeat(256) })), [
    400,
    'validation_failed',
    'Idempotency-Key',
  ]);
});

test('nothing of all that was stored: no fact, no blob, no key', async () => {
  assert.equal(await w.stored(), before);
});

test.run();
