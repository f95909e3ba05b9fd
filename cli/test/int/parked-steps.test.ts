/** A provider that is away for so long that steps run out of tries, as an operator meets it. */
import { clientOf, shows, stack, type Client, type Stack } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { historyScript } from '../../../fixtures/src/script.ts';
import { anthropicEmulator } from '../../../test/emulators/anthropic.ts';
import type { Emulator } from '../../../test/emulators/script.ts';
import { loom } from '../support/loom.ts';

interface Context {
  model: Emulator;
  /** Whether the provider answers. */
  up: boolean;
  system: Stack;
  client: Client;
  /** Jobs that wait. */
  readonly ids: string[];
}
const test = suite<Context>('parked steps', { ids: [] as string[] } as Context);

test.before(async (context) => {
  const answers = historyScript();
  context.up = false;
  context.model = await anthropicEmulator({
    script: (...call) => (context.up ? answers(...call) : { fault: 'overloaded' }),
  });
  const env = { ANTHROPIC_BASE_URL: context.model.url, ANTHROPIC_API_KEY: 'test', LOOM_MAX_ATTEMPTS: '2' };
  context.system = await stack({ sandbox: false, env });
  context.client = clientOf(context.system);
});
test.after(async ({ system, model }) => {
  await system[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

interface Line {
  readonly kind: string;
  readonly key: string;
  readonly state: string;
  readonly reason: string;
  readonly attempts: number;
  readonly tries: readonly { readonly outcome: string; readonly code: string; readonly provider: string }[];
  readonly redriven: number;
  readonly before: boolean;
}

const canary = 'zebra-crossing';
const isParked = ({ agents }: { agents: readonly { readonly status: string }[] }): boolean =>
  agents.some(({ status }) => status === 'parked');

const keyOf = (job: string | undefined, attempt: number): string => `${job}/a0-1-${attempt}`;

const parked = ({ system }: Context, ...args: readonly string[]) => loom<Line>(system, 'parked', ...args);

test('a step out of tries waits, reserves nothing, and is listed and shown without content', async (context) => {
  const { client, ids } = context;
  for (const n of [1, 2, 3]) ids.push(await client.submit(`Count the rows of the ${canary}, ${n}.`));
  const waiting = await Promise.all(ids.map((id) => client.until(id, isParked)));
  assert.equal(
    waiting.map(({ status, reserved_micros }) => [status, reserved_micros]),
    ids.map(() => ['planning', 0]),
  );
  const { lines } = await parked(context, 'ls');
  assert.equal(lines.map(({ key }) => key).toSorted(), ids.map((id) => keyOf(id, 2)).toSorted());
  for (const { kind, state, reason, attempts } of lines)
    assert.equal([kind, state, reason, attempts], ['step', 'parked', 'overloaded', 2]);
  const shown = (await parked(context, 'show', keyOf(ids[0], 2))).lines;
  assert.equal(
    shown[0]?.tries.map(({ outcome, code, provider }) => `${outcome} ${code} ${provider}`),
    ['failed overloaded anthropic', 'failed overloaded anthropic'],
  );
  assert.not.ok(JSON.stringify(shown).includes(canary));
});

/** The gauge by which an operator sees what waits. */
const waiting = ({ system }: Context, count: number): Promise<void> =>
  shows(system, 'orchestrator', new RegExp(`^loom_parked\\{kind="step",\\S* ${count}$`, 'm'));

test('what waits is shown as a figure, with its age', async (context) => {
  await waiting(context, context.ids.length);
  await shows(context.system, 'orchestrator', /^loom_parked_oldest_seconds\{kind="step",\S* [1-9]/m);
});

test('a redrive is one attempt more, once a failure; another word on that failure is refused', async (context) => {
  const { client, ids } = context;
  const [first = ''] = ids;
  const once = (await parked(context, 'redrive', keyOf(first, 2), '--reason', 'too early')).lines[0];
  await client.until(first, (job) => job.last_seq >= Number(once?.redriven) && isParked(job));
  const [twice] = (await parked(context, 'redrive', keyOf(first, 2))).lines;
  assert.equal([once?.before, twice?.before, twice?.redriven], [false, true, once?.redriven]);
  assert.is((await parked(context, 'drop', keyOf(first, 2), '--reason', 'otherwise')).exit, 1);
});

test('what is dropped fails, what is cancelled ends, and the rest goes on when the provider is back', async (context) => {
  const { client, ids } = context;
  const [first = '', second = '', third = ''] = ids;
  await client.gateway.json('POST', `/v1/jobs/${third}/cancel`);
  assert.is((await client.ended(third)).status, 'cancelled');
  assert.is((await parked(context, 'drop', keyOf(second, 2), '--reason', 'given up')).exit, 0);
  const { status, failure } = await client.ended(second);
  assert.equal([status, failure?.code], ['failed', 'retries_exhausted']);
  assert.match(failure?.reason ?? '', /2 attempts failed, the last with overloaded\. An operator gave it up: given up/);
  context.up = true;
  const back = await parked(context, 'redrive', '--all', '--kind', 'step', '--reason', 'the provider is back');
  assert.equal(
    back.lines.map(({ key }) => key),
    [keyOf(first, 3)],
  );
  assert.is((await client.ended(first)).status, 'completed');
  await waiting(context, 0);
});

test('what an operator decided on is counted, listed when asked for, and shown by its key', async (context) => {
  const { ids } = context;
  const now = await parked(context, 'ls');
  assert.equal(now.lines, []);
  assert.match(now.err, /^3 redriven or dropped: --all shows them$/m);
  const { lines } = await parked(context, 'ls', '--all');
  assert.equal(
    lines.map(({ key, state }) => `${key} ${state}`).toSorted(),
    [`${keyOf(ids[0], 2)} redriven`, `${keyOf(ids[0], 3)} redriven`, `${keyOf(ids[1], 2)} dropped`].toSorted(),
  );
  assert.is((await parked(context, 'show', keyOf(ids[1], 2))).lines[0]?.state, 'dropped');
});

test('the log of it holds against every rule, and each decision is made again', async ({ system }) => {
  const { exit, lines } = await loom<{ ok: boolean; rederived: number }>(system, 'check', '--decide');
  assert.equal([exit, lines.at(-1)?.ok], [0, true]);
  assert.ok(Number(lines.at(-1)?.rederived) > 15);
});

test.run();
