import { bundleOf } from '@loom/job';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accepted, addressOf, completed, decide, spawned } from '../support/decider.ts';
import { body, problem } from '../support/read.ts';
import type { Job, Page } from '../support/read.ts';
import { events } from '../support/sse.ts';
import type { Event } from '../support/sse.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
test.before(async () => {
  w = await world();
});
test.after(async () => w[Symbol.asyncDispose]());

const submit = async (): Promise<string> => (await body<Job>(await w.post('/v1/jobs', { brief: 'Watch me.' }))).id;

const follow = (id: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  w.call(`/v1/jobs/${id}/events`, {
    headers: { accept: 'text/event-stream', ...headers },
    ...(signal ? { signal } : {}),
  });

async function collect(response: Response): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events(response)) all.push(event);
  return all;
}

interface Shown {
  readonly type: string;
  readonly seq: number;
  readonly source: string;
  readonly body: { readonly brief: string };
  readonly items: readonly { readonly type: string; readonly body: { readonly role: string } }[];
}

const isFact = (event: Event): boolean => event.id !== null;

test('a stream shows facts as they are written, decisions with their items, and ends after the terminal fact', async () => {
  const id = await submit();
  const response = await follow(id);
  assert.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.is(response.headers.get('x-content-type-options'), 'nosniff');
  const collected = collect(response);
  await decide(w, id, accepted());
  await decide(w, id, spawned('a0'), spawned('a1'));
  await decide(w, id, completed);
  const all = (await collected).filter(isFact);
  assert.equal(
    all.map(({ type }) => type),
    ['job.submitted', 'job.accepted', 'decision.made', 'job.completed'],
  );
  const [first, , decision] = all.map(({ data }) => JSON.parse(data) as Shown);
  assert.equal([first?.type, first?.body.brief, first?.source], ['job.submitted', 'Watch me.', 'gateway']);
  assert.is(first?.seq, all[0]?.id);
  assert.equal(
    decision?.items.map((item) => [item.type, item.body.role]),
    [
      ['agent.spawned', 'analyst'],
      ['agent.spawned', 'analyst'],
    ],
  );
});

test('cut at random and resumed by Last-Event-ID, the parts join without gap or repeat', async () => {
  const id = await submit();
  const writing = (async () => {
    await decide(w, id, accepted());
    for (let n = 0; n < 60; n += 1) await decide(w, id, spawned(`a${n}`));
    await decide(w, id, completed);
  })();
  const seen: Event[] = [];
  let parts = 0;
  while (seen.at(-1)?.type !== 'job.completed') {
    const cut = new AbortController();
    const most = 1 + Math.floor(Math.random() * 8);
    const last = seen.at(-1)?.id;
    const response = await follow(id, last ? { 'last-event-id': String(last) } : {}, cut.signal);
    let taken = 0;
    for await (const event of events(response)) {
      if (event.id === null) continue;
      seen.push(event);
      if ((taken += 1) === most) break;
    }
    cut.abort();
    parts += 1;
  }
  await writing;
  const whole: number[] = [];
  for await (const fact of w.log.read(addressOf(id))) whole.push(fact.seq);
  assert.equal(
    seen.map((event) => event.id),
    whole,
  );
  assert.ok(parts > 5);
});

test('what a model says comes as deltas without an id', async () => {
  const id = await submit();
  await decide(w, id, accepted());
  const response = await follow(id);
  const say = w.runner.live(addressOf(id).tenant, id, 'a1');
  const timer = setInterval(() => say('Hello'), 20);
  const delta = await (async () => {
    for await (const event of events(response)) if (event.type === 'delta') return event;
    return null;
  })();
  clearInterval(timer);
  assert.is(delta?.id, null);
  assert.match(delta?.data ?? '', /^\{"agent":"a1","text":"(Hello)+"\}$/);
});

test('asked for JSON the facts come in pages, and a dispatch without its body', async () => {
  const id = await submit();
  const request = (key: string, n: number) =>
    ({
      type: 'step.requested',
      key,
      body: {
        agent: 'a0',
        step: n,
        attempt: 1,
        epoch: 0,
        model: 'm',
        max_tokens: 1,
        input_tokens_max: 1,
        reserved_micros: 0,
        price_version: 'p',
        deadline_ms: 1,
        upto: 1,
      },
    }) as const;
  await decide(w, id, accepted());
  const seq = await decide(w, id, request('a0-1-1', 1), request('a0-2-1', 2));
  await w.log.dispatch(addressOf(id), { seq, type: 'step.requested', key: 'a0-1-1' });
  const first = await body<Page<Record<string, unknown>>>(await w.call(`/v1/jobs/${id}/events?limit=3`));
  assert.equal(
    first.items.map(({ type }) => type),
    ['job.submitted', 'job.accepted', 'decision.made'],
  );
  assert.is(first.next_cursor, String(seq));
  const rest = await body<Page<Record<string, unknown>>>(
    await w.call(`/v1/jobs/${id}/events?cursor=${first.next_cursor}`),
  );
  assert.is(rest.next_cursor, null);
  assert.equal(
    rest.items.map(({ type, dispatch, decision, body: said }) => [type, dispatch, decision, said]),
    [['step.requested', true, seq, undefined]],
  );
  assert.equal(await problem(await follow(id, { 'last-event-id': 'x' })), [400, 'validation_failed', 'Last-Event-ID']);
});

test('who resumes behind the end is told that nothing more comes', async () => {
  const id = await submit();
  await decide(w, id, accepted());
  const seq = await decide(w, id, completed);
  const response = await follow(id, { 'last-event-id': String(seq) });
  assert.is(response.status, 204);
  assert.equal((await collect(await follow(id))).filter(isFact).length, 3);
});

test('who stands behind an end that could not be read yet is let go when it can', async () => {
  const id = await submit();
  const ahead = { 'last-event-id': '1000000' };
  const early = collect(await follow(id, ahead));
  await decide(w, id, accepted());
  await decide(w, id, completed);
  assert.equal(await early, []);
  assert.is((await follow(id, ahead)).status, 204);
});

test("facts carry no key and no place of a blob, and whose address made the call is that person's to see", async () => {
  const attachments = [{ name: 'a.txt', media_type: 'text/plain', content_base64: 'aGk=' }];
  const org = (sub: string) => w.issuer.token({ sub, sid: `sess_${sub}`, org_id: 'org_x' });
  const { id } = await body<Job>(await w.post('/v1/jobs', { brief: 'b', attachments }, { token: org('user_ann') }));
  const texts = await Promise.all(
    ['user_ann', 'user_bob'].map(async (sub) => (await w.call(`/v1/jobs/${id}/events`, { token: org(sub) })).text()),
  );
  for (const text of texts) {
    assert.not.match(text, /data_key|"object"/);
    assert.match(text, /"name":"a.txt"/);
  }
  assert.match(texts[0] ?? '', /"ip":"127.0.0.1"/);
  assert.not.match(texts[1] ?? '', /"ip"|user_agent/);
});

/** A fork in playback, taken over as the orchestrator would: with all that its parent's log holds. */
async function forkOf(parent: string, from_seq: number): Promise<{ readonly id: string; readonly forked: number }> {
  const asked = await w.post(`/v1/jobs/${parent}/fork`, { from_seq, mode: 'playback' });
  assert.is(asked.status, 201);
  const { id } = await body<Job>(asked);
  const facts = await Array.fromAsync(w.log.read(addressOf(parent)));
  const money = { epoch: 0, budget_micros: 1_000_000, recorded_micros: 0 };
  const whole = { facts: facts.length, agents: [], bundle: bundleOf(facts), request_key: Buffer.alloc(32) };
  const forked = { parent, from_seq, mode: 'playback', ...money, ...whole } as const;
  return { id, forked: await decide(w, id, { type: 'job.forked', key: '0', body: forked }) };
}

interface Bundled {
  readonly type: string;
  readonly body: {
    readonly brief?: string;
    readonly bundle?: readonly { readonly seq: number; readonly type: string; readonly items: readonly Bundled[] }[];
  };
}

test('a fork of a fork shows the facts of both that came before it, and no key of either', async () => {
  const attachments = [{ name: 'a.txt', media_type: 'text/plain', content_base64: 'aGk=' }];
  const { id: root } = await body<Job>(await w.post('/v1/jobs', { brief: 'The first.', attachments }));
  const begun = await decide(w, root, accepted());
  await decide(w, root, completed);
  const first = await forkOf(root, begun);
  await decide(w, first.id, completed);
  const second = await forkOf(first.id, first.forked);
  const text = await (await w.call(`/v1/jobs/${second.id}/events`)).text();
  assert.not.match(text, /data_key|"object"|request_key/);
  const shown = (JSON.parse(text) as Page<Bundled>).items.find(({ type }) => type === 'job.forked');
  const outer = shown?.body.bundle ?? [];
  assert.equal(
    outer.map(({ type }) => type),
    ['job.submitted', 'job.forked', 'job.completed'],
  );
  const inner = outer[1]?.items[0]?.body.bundle ?? [];
  assert.equal(
    inner.map(({ type, items }) => `${type} ${items[0]?.body.brief ?? ''}`.trim()),
    ['job.submitted The first.', 'job.accepted', 'job.completed'],
  );
});

test.run();
