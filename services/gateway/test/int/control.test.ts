import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accepted, addressOf, asking, budgetChanged, completed, decide, spawned, written } from '../support/decider.ts';
import { body, problem } from '../support/read.ts';
import type { Job } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
test.before(async () => {
  w = await world();
});
test.after(async () => w[Symbol.asyncDispose]());

const running = async (): Promise<string> => {
  const { id } = await body<Job>(
    await w.post('/v1/jobs', { brief: 'Run.', engagement: 'acme', models: { worker: 'm1' } }),
  );
  await decide(w, id, accepted(), spawned('a0'), spawned('a1'));
  return id;
};

const show = async (id: string): Promise<Job> => body<Job>(await w.call(`/v1/jobs/${id}`));

test('a message answers the pending question once, or adds to the brief', async () => {
  const id = await running();
  const question = await asking(w, id, 'Which year?');
  const { pending, status } = await show(id);
  assert.equal(
    [status, pending.map((one) => [one.kind, one.id, one.question])],
    ['waiting_input', [['input', question, 'Which year?']]],
  );
  const unknown = await w.post(`/v1/jobs/${id}/messages`, { text: '2026', in_reply_to: 'a9-9-9-1' });
  assert.equal(await problem(unknown), [400, 'validation_failed', 'in_reply_to']);
  const answer = () => w.post(`/v1/jobs/${id}/messages`, { text: '2026', in_reply_to: question }, { key: 'm1' });
  const [first, again] = [await answer(), await answer()];
  assert.equal([first.status, again.status], [202, 202]);
  assert.equal(await body(first), await body(again));
  const second = await w.post(`/v1/jobs/${id}/messages`, { text: '2027', in_reply_to: question });
  assert.equal(await problem(second), [409, 'already_answered', 'in_reply_to']);
  assert.is((await w.post(`/v1/jobs/${id}/messages`, { text: 'And be brief.' })).status, 202);
  const other = await w.post(`/v1/jobs/${id}/messages`, { text: 'other' }, { key: 'm1' });
  assert.equal(await problem(other), [409, 'idempotency_conflict', 'Idempotency-Key']);
  assert.equal(await problem(await w.post(`/v1/jobs/${id}/messages`, { text: 'x'.repeat(102_401) })), [
    413,
    'brief_too_large',
    'text',
  ]);
  const { items } = await body<{ items: { agent: string; messages: { text: string }[] }[] }>(
    await w.call(`/v1/jobs/${id}/transcript`),
  );
  assert.equal([items[0]?.agent, items[0]?.messages[0]?.text], ['a0', 'Let me ask.']);
});

test('cancel and kill are asked for once, of the job or of one agent', async () => {
  const id = await running();
  const asked = await w.post(`/v1/jobs/${id}/cancel`);
  const again = await w.post(`/v1/jobs/${id}/cancel`, {});
  assert.equal([asked.status, await body(asked)], [202, await body(again)]);
  assert.is((await w.post(`/v1/jobs/${id}/agents/a1/kill`)).status, 202);
  assert.equal(await problem(await w.post(`/v1/jobs/${id}/agents/a7/kill`)), [404, 'not_found', undefined]);
  assert.is((await w.post(`/v1/jobs/${id}/kill`)).status, 202);
  assert.equal(await problem(await w.post(`/v1/jobs/${id}/kill`, { now: true })), [400, 'validation_failed', 'now']);
  const fact = await w.log.get(addressOf(id), 'gateway', 'job.kill-requested', 'a1');
  const item = fact?.items[0];
  assert.is(item?.type === 'job.kill-requested' && item.body.agent, 'a1');
  const request: Record<string, string> = item?.type === 'job.kill-requested' ? item.body.request : {};
  assert.equal(
    [request['action'], request['target'], request['person']],
    ['POST /v1/jobs/{id}/agents/{agent}/kill', id, 'user_ann'],
  );
});

test('a budget answers with the job once the decider recorded it', async () => {
  const id = await running();
  const deciding = (async () => {
    for (;;) {
      for await (const fact of w.log.read(addressOf(id)))
        if (fact.type === 'job.budget-requested') return decide(w, id, budgetChanged(fact.key, 123));
    }
  })();
  const ask = () => w.post(`/v1/jobs/${id}/budget`, { budget_micros: 123 }, { key: 'b' });
  const began = performance.now();
  const first = await ask();
  assert.ok(first.status === 200 || performance.now() - began >= 5_000, 'it waits for the decider');
  await deciding;
  const answer = first.status === 200 ? first : await ask();
  assert.equal([answer.status, (await body<Job>(answer)).budget_micros], [200, 123]);
  assert.equal(await problem(await w.post(`/v1/jobs/${id}/budget`, {})), [400, 'validation_failed', 'budget_micros']);
});

test('of a finished job nothing can be asked, but a message makes one that follows it', async () => {
  const id = await running();
  await decide(w, id, completed);
  for (const path of ['cancel', 'kill', 'agents/a1/kill']) {
    assert.equal(await problem(await w.post(`/v1/jobs/${id}/${path}`)), [409, 'job_ended', undefined], path);
  }
  assert.equal(await problem(await w.post(`/v1/jobs/${id}/budget`, { budget_micros: 1 })), [
    409,
    'job_ended',
    undefined,
  ]);
  const send = () => w.post(`/v1/jobs/${id}/messages`, { text: 'And now in French.' }, { key: 'f' });
  const [first, again] = [await send(), await send()];
  assert.is(first.status, 201);
  const follower = await body<Job>(first);
  assert.equal(follower, await body<Job>(again));
  const shown = await show(follower.id);
  assert.equal([shown.follows, shown.brief, shown.status], [id, 'And now in French.', 'queued']);
  const item = (await w.log.get(addressOf(follower.id), 'gateway', 'job.submitted', '0'))?.items[0];
  assert.equal(item?.type === 'job.submitted' && [item.body.engagement, item.body.models], ['acme', { worker: 'm1' }]);
});

test('a call repeated under its key after the end gets its first answer, not the end', async () => {
  const id = await running();
  const calls = [
    () => w.post(`/v1/jobs/${id}/cancel`, undefined, { key: 'c' }),
    () => w.post(`/v1/jobs/${id}/messages`, { text: 'Hurry.' }, { key: 'm' }),
  ];
  const first = await Promise.all(calls.map(async (call) => body(await call())));
  await decide(w, id, completed);
  const again = await Promise.all(calls.map(async (call) => body(await call())));
  assert.equal(again, first);
});

test('files are listed, sent whole, in ranges, not again when known, and together as a ZIP', async () => {
  const id = await running();
  const content = Buffer.from('0123456789');
  await written(w, id, 'final/a b/ü.txt', content);
  await written(w, id, 'final/empty.txt', Buffer.alloc(0));
  const sha256 = createHash('sha256').update(content).digest('hex');
  const list = await body<Job['artifacts']>(await w.call(`/v1/jobs/${id}/artifacts`));
  assert.equal(
    list.map(({ path, size }) => [path, size]),
    [
      ['final/a b/ü.txt', 10],
      ['final/empty.txt', 0],
    ],
  );
  const path = `/v1/jobs/${id}/artifacts/final/a%20b/%C3%BC.txt`;
  const whole = await w.call(path);
  assert.equal([whole.status, await whole.text(), whole.headers.get('etag')], [200, '0123456789', `"${sha256}"`]);
  assert.is(whole.headers.get('content-disposition'), `attachment; filename="_.txt"; filename*=UTF-8''%C3%BC.txt`);
  assert.match(whole.headers.get('content-security-policy') ?? '', /^sandbox/);
  const part = await w.call(path, { headers: { range: 'bytes=2-4' } });
  assert.equal([part.status, await part.text(), part.headers.get('content-range')], [206, '234', 'bytes 2-4/10']);
  const stale = await w.call(path, { headers: { range: 'bytes=2-4', 'if-range': '"x"' } });
  assert.equal([stale.status, await stale.text()], [200, '0123456789']);
  const beyond = await w.call(path, { headers: { range: 'bytes=10-' } });
  assert.equal([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */10']);
  assert.is((await w.call(path, { headers: { 'if-none-match': `"${sha256}"` } })).status, 304);
  const head = await w.call(path, { method: 'HEAD' });
  assert.equal([head.status, head.headers.get('content-length')], [200, '10']);
  assert.is(await (await w.call(`/v1/jobs/${id}/artifacts/final/empty.txt`)).text(), '');
  assert.equal(await problem(await w.call(`/v1/jobs/${id}/artifacts/final/none`)), [404, 'not_found', undefined]);
  const zip = await w.call(`/v1/jobs/${id}/artifacts.zip`);
  const bytes = Buffer.from(await zip.arrayBuffer());
  assert.equal([zip.status, bytes.subarray(0, 2).toString(), bytes.includes('final/a b/ü.txt')], [200, 'PK', true]);
});

test('the state at a sequence is the fold up to there, without secrets', async () => {
  const id = await running();
  await written(w, id, 'final/x.txt', Buffer.from('x'));
  const now = await body<{ seq: number; state: Record<string, unknown> }>(await w.call(`/v1/jobs/${id}/state`));
  assert.equal(Object.keys(now.state['agents'] as object), ['a0', 'a1']);
  assert.not.match(JSON.stringify(now), /dataKey|"object"/);
  const first = (await w.log.get(addressOf(id), 'gateway', 'job.submitted', '0'))?.seq ?? 0;
  const then = await body<{ seq: number; state: Record<string, unknown> }>(
    await w.call(`/v1/jobs/${id}/state?at=${first}`),
  );
  assert.equal([then.seq, then.state['accepted']], [first, null]);
  assert.equal(await problem(await w.call(`/v1/jobs/${id}/state?at=0`)), [400, 'validation_failed', 'at']);
});

test.run();
