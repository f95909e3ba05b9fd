import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accepted, decide, spawned } from '../support/decider.ts';
import { body } from '../support/read.ts';
import type { Job } from '../support/read.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

let w: World;
test.before(async () => {
  w = await world();
});
test.after(async () => w[Symbol.asyncDispose]());

const policyOf = (response: Response): string => response.headers.get('content-security-policy') ?? '';

test('the page stands at every address that it knows its way from, and nowhere else', async () => {
  const pages = await Promise.all(['/', '/usage', '/jobs/job_0abc'].map((path) => fetch(`${w.url}${path}`)));
  const texts = await Promise.all(pages.map((page) => page.text()));
  assert.is(new Set(texts).size, 1);
  assert.match(texts[0] ?? '', /<title>Loom<\/title>/);
  assert.not.match(texts[0] ?? '', /<script(?![^>]* src=)|<style| style=| on\w+=/, 'nothing inline');
  assert.is((await fetch(`${w.url}/elsewhere`)).status, 404);
});

test('its policy lets in nothing inline and nothing from elsewhere', async () => {
  const policy = policyOf(await fetch(`${w.url}/`));
  assert.match(policy, /default-src 'none'.*script-src 'self';.*connect-src 'self';/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.not.match(policy, /unsafe|https?:|\*/);
  assert.not.match(policyOf(await fetch(`${w.url}/docs`)), /unsafe/);
});

test('its files come pressed and are kept for good; a name that is none is not found', async () => {
  const page = await (await fetch(`${w.url}/`)).text();
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
  const sizes = new Map<string, number>();
  for (const coding of ['identity', 'gzip', 'br']) {
    const answer = await fetch(`${w.url}${script}`, { headers: { 'accept-encoding': coding } });
    assert.is(answer.headers.get('content-encoding'), coding === 'identity' ? null : coding);
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
    assert.is(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
    sizes.set(coding, Number(answer.headers.get('content-length')));
    await answer.arrayBuffer();
  }
  assert.ok(sizes.get('br')! < sizes.get('gzip')! && sizes.get('gzip')! < sizes.get('identity')! / 2);
  for (const name of ['none.js', '..%2Findex.html', '%2Fetc%2Fpasswd'])
    assert.is((await fetch(`${w.url}/assets/${name}`)).status, 404);
});

test('where Clerk is configured the page is told its key, and may reach its host alone beside the gateway', async () => {
  const key = `pk_live_${Buffer.from('clerk.loom.test$').toString('base64')}`;
  await using other = await world({ LOOM_CLERK_PUBLISHABLE_KEY: key });
  const page = await fetch(`${other.url}/`);
  assert.match(await page.text(), new RegExp(`name="loom-clerk" content="${key}"`));
  assert.match(policyOf(page), /script-src 'self' https:\/\/clerk\.loom\.test;/);
  assert.not.match(policyOf(page), /unsafe/);
});

test('a state has a hash that follows what it says, and a HEAD tells it', async () => {
  const { id } = await body<Job>(await w.post('/v1/jobs', { brief: 'Hash me.' }));
  const first = await decide(w, id, accepted());
  await decide(w, id, spawned('a0'));
  const at = async (query: string) =>
    body<{ seq: number; state_hash: string }>(await w.call(`/v1/jobs/${id}/state${query}`));
  const [now, before] = await Promise.all([at(''), at(`?at=${first}`)]);
  assert.match(now.state_hash, /^[0-9a-f]{64}$/);
  assert.is.not(now.state_hash, before.state_hash);
  const head = await w.call(`/v1/jobs/${id}/state?at=${first}`, { method: 'HEAD' });
  assert.equal([head.status, head.headers.get('etag')], [200, `"${before.state_hash}"`]);
});

test.run();
