import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Feed } from '../src/feed.ts';
import type { Delivered } from '../src/pull.ts';
import { subjectOf } from '../src/subjects.ts';

const stream = 'S';
const at = { tenant: 'tacme', stream: 'job_01' };
const name = 'tacme.job_01';

const settled = (seq: number): string => subjectOf(at, 'agent-runner', 'step.settled', `a0-${seq}-1`);
const message = (seq: number, delivery: number, subject = settled(seq)): Delivered => ({
  stream,
  subject,
  seq,
  delivery,
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
  const feed = fed(message(5, 1), message(7, 2), message(9, 3));
  assert.equal(await behind(feed, 5), [7, 9]);
  assert.equal(await behind(feed, 9), []);
  assert.is(await behind(feed, 5), null);
});

test('who stands before the first fact seen is told to read, but for the first fact of the job itself', async () => {
  assert.is(await behind(fed(message(5, 1)), 4), null);
  const submitted = subjectOf(at, 'gateway', 'job.submitted', '0');
  assert.equal(await behind(fed(message(5, 1, submitted), message(6, 2)), 0), [5, 6]);
});

test('a hole in the deliveries forgets what was known', async () => {
  const feed = fed(message(5, 1), message(7, 3), message(8, 4));
  assert.is(await behind(feed, 5), null);
  assert.equal(await behind(feed, 7), [8]);
});

test('a redelivery adds nothing', async () => {
  const feed = fed(message(5, 1), message(7, 2), message(5, 3), message(7, 4), message(8, 5));
  assert.equal(await behind(feed, 5), [7, 8]);
});

test('a fact that is still to come is waited for, and read when it does not come', async () => {
  const feed = fed(message(5, 1));
  assert.is(await behind(feed, 5, 6), null);
  const waiting = feed.after(stream, name, { after: 5, atLeast: 6, patience: 5000 });
  feed.push(message(6, 2));
  assert.equal(
    (await waiting)?.map(({ seq }) => seq),
    [6],
  );
});

test('without the lease nothing is known, also for who was waiting', async () => {
  const feed = fed(message(5, 1));
  const waiting = feed.after(stream, name, { after: 5, atLeast: 9, patience: 5000 });
  feed.end(stream);
  assert.is(await waiting, null);
  feed.push(message(6, 2));
  assert.is(await behind(feed, 5), null);
});

test.run();
