/** What clients see of a gateway that drains. */
import { steady } from '@loom/test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { body } from '../support/read.ts';
import type { Job } from '../support/read.ts';
import { events } from '../support/sse.ts';
import { world } from '../support/world.ts';

test('a gateway that drains ends its streams at once; another takes up where they stopped', async () => {
  await using other = await world();
  const id = (await body<Job>(await other.post('/v1/jobs', { brief: 'b' }))).id;
  const response = await other.call(`/v1/jobs/${id}/events`, { headers: { accept: 'text/event-stream' } });
  const collected = Array.fromAsync(events(response));
  await other.stop();
  await collected.catch(() => undefined);
  await fetch(`${other.url}/healthz`).then(
    () => assert.unreachable(),
    () => undefined,
  );
});

test('a gateway that drains answers for a moment more, each answer the last on its connection', async () => {
  const said = await steady(
    400,
    async () => undefined,
    async () => {
      await using other = await world();
      const stopped = other.stop();
      const answer = await fetch(`${other.url}/healthz`).catch(() => null);
      await stopped;
      return [answer?.status, answer?.headers.get('connection')];
    },
  );
  assert.equal(said, [200, 'close']);
});

test.run();
