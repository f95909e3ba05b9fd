import type { Address, Draft, Fact } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../../../../test/emulators/anthropic.ts';
import type { Emulator, Script } from '../../../../test/emulators/script.ts';
import { handleStep } from '../../src/consumers/steps.ts';
import { anthropic } from '../../src/models/anthropic.ts';
import { lost } from '../../src/domain/settle.ts';
import { until } from '../../../../packages/log/test/world.ts';
import { askStep, facts, jobWithWorker, kill, raiseEpoch } from './job.ts';
import { world } from './world.ts';
import type { World } from './world.ts';

let place: World;
const emulators: Emulator[] = [];

test.before(async () => {
  place = await world();
});
test.after(async () => {
  await Promise.all(emulators.map((emulator) => emulator[Symbol.asyncDispose]()));
  await place[Symbol.asyncDispose]();
});

async function setting(script: Script) {
  const emulator = await anthropicEmulator({ script });
  emulators.push(emulator);
  const parts = await place.runner(anthropic({ apiKey: 'key', baseUrl: emulator.url }));
  return { emulator, parts, at: await jobWithWorker(place) };
}

async function outcome(at: Address): Promise<Bodies['step.settled']> {
  const [settled] = await facts(place.orchestrator, at, 'step.settled');
  if (!settled) throw new Error('the step is not settled');
  return settled;
}

/** Hears what is said live in a job, from here on until it is disposed of. */
async function hearing(
  { tenant, stream }: Address,
  hear: (agent: string, delta: string) => void,
): Promise<AsyncDisposable> {
  const end = place.gateway.onLive(tenant, stream, hear);
  await place.gateway.connection.flush();
  return { [Symbol.asyncDispose]: async () => end() };
}

const says =
  (text: string): Script =>
  () => ({ text, usage: { input: 1000, cached: 400, output: 50 } });

test('a step is claimed, called and settled with its tokens, its cost and the HMAC of the exact bytes', async () => {
  const { emulator, parts, at } = await setting(says('One row.'));
  await handleStep(parts, await askStep(place, at));
  const settled = await outcome(at);
  const [entry] = emulator.ledger;
  const { vault } = parts;
  const hmac = (await vault.open(at.tenant, at.stream)).hmac('request', Buffer.from(entry?.body ?? ''));
  const { tokens_in, tokens_cached, tokens_out, cost_micros } = settled;
  assert.equal([settled.outcome, settled.text], ['completed', 'One row.']);
  assert.equal([tokens_in, tokens_cached, tokens_out, cost_micros], [1000, 400, 50, 600 * 2 + 400 * 0.1 + 50 * 10]);
  assert.is(settled.provider_request_id, entry?.requestId);
  assert.ok(settled.request_hmac.equals(hmac));
  assert.is((await facts(place.orchestrator, at, 'step.claimed')).length, 1);
});

test('the same request handed over again calls nobody a second time', async () => {
  const { emulator, parts, at } = await setting(says('Once.'));
  const asked = await askStep(place, at);
  await handleStep(parts, asked);
  await handleStep(parts, asked);
  await handleStep(await place.runner(anthropic({ apiKey: 'key', baseUrl: emulator.url })), asked);
  assert.is(emulator.ledger.length, 1);
  assert.is((await facts(place.orchestrator, at, 'step.settled')).length, 1);
});

test('two runners with the same request at once: one calls, the other waits for the claim', async () => {
  const sentAway = Promise.withResolvers<void>();
  const { emulator, parts, at } = await setting(async () => {
    await sentAway.promise;
    return { text: 'Slow.' };
  });
  const asked = await askStep(place, at);
  const other = await place.runner(anthropic({ apiKey: 'key', baseUrl: emulator.url }));
  const running = [parts, other].map((one) => handleStep(one, asked));
  for (const one of running) one.catch(() => sentAway.resolve());
  const ended = await Promise.allSettled(running);
  const refusals = ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  assert.is(emulator.ledger.length, 1);
  assert.ok(refusals.length === 1 && refusals[0] instanceof LoomError && refusals[0].code === 'claimed_elsewhere');
});

test('a claim that outlives the deadline is settled as lost, at its full reservation', async () => {
  const { emulator, parts, at } = await setting(says('never'));
  const asked = await askStep(place, at, { deadline_ms: 1 });
  await parts.log.append(at, { type: 'step.claimed', key: 'a1-1-1', body: { worker: 'dead' } });
  await until(() => parts.log.now() > asked.time + 1);
  await handleStep(parts, asked);
  const settled = await outcome(at);
  assert.is(emulator.ledger.length, 0);
  assert.equal([settled.outcome, settled.code], ['lost', 'deadline_passed']);
  assert.ok((settled.cost_micros ?? 0) > 0);
  assert.is(settled.cost_micros, asked.said?.type === 'step.requested' ? asked.said.body.reserved_micros : -1);
});

test('an attempt that nobody claimed before its deadline costs nothing', async () => {
  const { emulator, parts, at } = await setting(says('never'));
  const asked = await askStep(place, at, { deadline_ms: 0 });
  await until(() => parts.log.now() >= asked.time);
  await handleStep(parts, asked);
  const settled = await outcome(at);
  assert.equal([emulator.ledger.length, settled.outcome, settled.cost_micros], [0, 'lost', 0]);
});

test('work of an older epoch is refused without a call', async () => {
  const { emulator, parts, at } = await setting(says('never'));
  const asked = await askStep(place, at);
  await raiseEpoch(place, at);
  await handleStep(parts, asked);
  const settled = await outcome(at);
  assert.equal(
    [emulator.ledger.length, settled.outcome, settled.code, settled.cost_micros],
    [0, 'refused', 'epoch_passed', 0],
  );
});

test('input above the reservation is refused without a call', async () => {
  const { emulator, parts, at } = await setting(says('never'));
  await handleStep(parts, await askStep(place, at, { input_tokens_max: 10 }));
  const settled = await outcome(at);
  assert.equal([emulator.ledger.length, settled.outcome, settled.code], [0, 'refused', 'input_over_reservation']);
});

test('a kill ends the call in hand at once and what it used is paid', async () => {
  const { parts, at } = await setting(() => ({ text: 'word '.repeat(5000), pauseMs: 20 }));
  await using _ = await hearing(at, () => void kill(place, at));
  await handleStep(parts, await askStep(place, at));
  const settled = await outcome(at);
  assert.equal([settled.outcome, settled.code], ['refused', 'killed']);
  assert.ok((settled.cost_micros ?? 0) > 0);
});

test('failures are settled with their class, their code, the wait that was asked for and the error as content', async () => {
  const { parts, at } = await setting(() => ({ fault: 'rate_limited', retryAfterSeconds: 3 }));
  await handleStep(parts, await askStep(place, at));
  const settled = await outcome(at);
  assert.equal(
    [settled.outcome, settled.failure, settled.code, settled.retry_after_ms],
    ['failed', 'rate_limited', 'rate_limited', 3000],
  );
  assert.match(settled.error ?? '', 'emulated rate_limited');
  assert.is(settled.cost_micros, 0);
});

test('a call whose slot was settled meanwhile is on record as model.called', async () => {
  let asked: Fact | null = null;
  const { parts, at } = await setting(async () => {
    await place.orchestrator.append(at, lostBy(asked), { source: 'agent-runner' });
    return { text: 'Too late.', usage: { input: 1000, cached: 0, output: 10 } };
  });
  asked = await askStep(place, at);
  await handleStep(parts, asked);
  const [called] = await facts(place.orchestrator, at, 'model.called');
  assert.equal([called?.slot, called?.tokens_in, called?.cost_micros], ['a1-1-1', 1000, 2100]);
});

/** The outcome that the orchestrator gives a slot when its deadline has passed. */
function lostBy(asked: Fact | null): Draft {
  if (asked?.said?.type !== 'step.requested') throw new Error('no step was asked for');
  const request = asked.said.body;
  const none = {
    provider: '',
    templates: '',
    toolset: '',
    requestHmac: Buffer.alloc(0),
    latencyMs: 0,
    costOf: () => 0,
  };
  return { type: 'step.settled', key: asked.key, body: lost({ request, ...none }, true) };
}

test('an outcome that could not be appended is kept, and appended at the next delivery without another call', async () => {
  const { emulator, parts, at } = await setting(says('Kept.'));
  const asked = await askStep(place, at);
  const away: typeof parts = {
    ...parts,
    log: {
      ...parts.log,
      append: (to, what, options) =>
        what.type === 'step.settled'
          ? Promise.reject(new LoomError('log_unavailable'))
          : parts.log.append(to, what, options),
    },
  };
  const failed = await handleStep(away, asked).catch((error: unknown) => error);
  assert.instance(failed, LoomError);
  await handleStep(parts, asked);
  assert.is(emulator.ledger.length, 1);
  assert.is((await facts(place.orchestrator, at, 'step.settled'))[0]?.text, 'Kept.');
});

test('deltas are heard live while the model speaks', async () => {
  const { parts, at } = await setting(() => ({ text: 'a long text that comes in pieces '.repeat(10), pauseMs: 5 }));
  const whole = 'a long text that comes in pieces '.repeat(10);
  let heard = '';
  await using _ = await hearing(at, (agent, delta) => (heard += agent === 'a1' ? delta : ''));
  await handleStep(parts, await askStep(place, at));
  await until(() => heard.length >= whole.length);
  assert.is(heard, whole);
});

test.run();
