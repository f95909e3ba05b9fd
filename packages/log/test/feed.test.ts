import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Feed } from '../src/feed.ts';
import type { Delivered } from '../src/pull.ts';
import { subjectOf } from '../src/subjects.ts';

const stream = 'S';
const at = { tenant: 'tacme', stream: 'job_01' };
const name = 'tacme.job_01';

const settled = (seq: number): string => subjectOf(at, 'agent-runner', 'step.settled', `a0-${seq}-1`);
const message = (seq: number, subject = settled(seq)): Delivered => ({
  stream,
  subject,
  seq,
  delivery: 0,
  time: 0,
  headers: undefined,
  body: new Uint8Array(),
  reply: '',
});

function fed(...messages: readonly Delivered[]): Feed {
  const feed = new Feed();
  feed.begin(stream);
  for (const one of messages) feed.push(one);
  return feed;
}

async function behind(feed: Feed, after: number, atLeast = 1): Promise<readonly number[] | null> {
  const facts = await feed.after(stream, name, { after, atLeast, patience: 5 });
  return facts?.map(({ seq }) => seq) ?? null;
}

test('who stands at the first fact seen gets what came after it, once', async () => {
  const feed = fed(message(5), message(6), message(7));
  assert.equal(await behind(feed, 5), [6, 7]);
  assert.equal(await behind(feed, 7), []);
  assert.is(await behind(feed, 5), null);
});

test('who stands before the first fact seen is told to read, but for the first fact of the job itself', async () => {
  assert.is(await behind(fed(message(5)), 4), null);
  const submitted = subjectOf(at, 'gateway', 'job.submitted', '0');
  assert.equal(await behind(fed(message(5, submitted), message(6)), 0), [5, 6]);
});

test('a gap in the sequences forgets what was known', async () => {
  const feed = fed(message(5), message(7), message(8));
  assert.is(await behind(feed, 5), null);
  assert.equal(await behind(feed, 7), [8]);
});

test('a redelivery adds nothing', async () => {
  const feed = fed(message(5), message(6), message(5), message(6), message(7));
  assert.equal(await behind(feed, 5), [6, 7]);
});

test('what went to another first and comes behind a later fact is no part of what is known', async () => {
  const feed = fed(message(5), message(7), message(6), message(8));
  assert.is(await behind(feed, 5), null);
  assert.equal(await behind(feed, 7), [8]);
});

test('a fact that is still to come is waited for, and read when it does not come', async () => {
  const feed = fed(message(5));
  assert.is(await behind(feed, 5, 6), null);
  const waiting = feed.after(stream, name, { after: 5, atLeast: 6, patience: 5000 });
  feed.push(message(6));
  assert.equal(
    (await waiting)?.map(({ seq }) => seq),
    [6],
  );
});

test('without the lease nothing is known, also for who was waiting', async () => {
  const feed = fed(message(5));
  const waiting = feed.after(stream, name, { after: 5, atLeast: 9, patience: 5000 });
  feed.end(stream);
  assert.is(await waiting, null);
  feed.push(message(6));
  assert.is(await behind(feed, 5), null);
});

test.run();
