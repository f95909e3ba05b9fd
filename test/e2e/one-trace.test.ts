/** A job is one trace across all services, from the call that submitted it to the projections of its last fact. */
import { clientOf, stack } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { otlpReceiver } from '../emulators/otlp.ts';

const services = ['gateway', 'orchestrator', 'agent-runner', 'sandbox', 'billing', 'audit', 'retention'];

type Span = Awaited<ReturnType<typeof otlpReceiver>>['spans'][number];

/** Spans whose parent is not there. */
function hangingIn(spans: readonly Span[]): string[] {
  const known = new Set(spans.map(({ id }) => id));
  const parentless = spans.filter(({ parent }) => parent !== '' && !known.has(parent));
  return parentless.map(({ scope, name }) => `${scope} ${name}`);
}

test('every service that works on a job adds to its one trace', async () => {
  await using receiver = await otlpReceiver();
  await using system = await stack({
    split: true,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '200' },
  });
  const client = clientOf(system);
  const ids = [
    await client.submit('Count the rows.', { 'a.csv': 'x,y\n1,2\n3,4\n' }),
    await client.submit('Count the lines.', { 'b.csv': 'x,y\n1,2\n3,4\n5,6\n' }),
  ];
  for (const id of ids) assert.is((await client.ended(id)).status, 'completed');
  const tracesOf = (id: string): Set<string> =>
    new Set(receiver.spans.filter(({ attributes }) => attributes['loom.job'] === id).map(({ trace }) => trace));
  const scopesIn = (trace: string): Set<string> =>
    new Set(receiver.spans.filter((span) => span.trace === trace).map(({ scope }) => scope));
  const hanging = (trace: string): string[] => hangingIn(receiver.spans.filter((span) => span.trace === trace));
  // Every process sends its spans in its own time: a child may come before its parent.
  const complete = (): boolean =>
    ids.every(
      (id) =>
        services.every((service) => [...tracesOf(id)].some((trace) => scopesIn(trace).has(service))) &&
        [...tracesOf(id)].every((trace) => hanging(trace).length === 0),
    );
  for (const end = Date.now() + 60_000; !complete() && Date.now() < end;) await sleep(100);
  for (const id of ids) {
    assert.is(tracesOf(id).size, 1, `${id} is in one trace`);
    const [trace = ''] = tracesOf(id);
    assert.equal(
      services.filter((service) => !scopesIn(trace).has(service)),
      [],
      'services missing from the trace',
    );
    assert.equal(hanging(trace), [], 'no span hangs in the air');
  }
  assert.is.not([...tracesOf(ids[0] ?? '')][0], [...tracesOf(ids[1] ?? '')][0], 'two jobs are two traces');
});

test.run();
