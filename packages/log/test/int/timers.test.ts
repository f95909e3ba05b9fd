import { patient } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Address, Log, Timer } from '../../src/index.ts';
import { epoch, job, message, shortly, submitted, until, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  orchestrator: Log;
  gateway: Log;
  runner: Log;
}
const test = suite<Context>('timers, live and hints');

test.before(async (context) => {
  context.world = await world(shortly);
  context.orchestrator = await context.world.log('orchestrator');
  context.gateway = await context.world.log('gateway');
  context.runner = await context.world.log('agent-runner');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

const waiting = async (log: Log): Promise<number> =>
  (await log.connection.request('$JS.API.STREAM.INFO.LOOM_TIMERS', '', patient)).json<{
    state: { messages: number };
  }>().state.messages;

test('a timer fires once, however often it was armed, and leaves nothing behind', async ({
  orchestrator,
  world: own,
}) => {
  let at: Address;
  let timer: Timer;
  do {
    at = job();
    await orchestrator.armTimer(at, { kind: 'retry', key: 'a1-1-2', dueMs: Date.now() - 60_000 });
    timer = { kind: 'step', key: 'a1-1-1', dueMs: Date.now() + 1100 };
    for (let i = 0; i < 3; i++) await orchestrator.armTimer(at, timer);
    // Armed again once it fired, it fires again.
  } while (Date.now() >= timer.dueMs);
  const fired: string[] = [];
  const stop = new AbortController();
  const consuming = [orchestrator, await own.log('orchestrator')].map((log) =>
    log.consumeTimers(async (place, { kind, key, dueMs }) => {
      if (place.stream !== at.stream) return;
      assert.equal(place, at);
      fired.push(`${kind} ${key}`);
      assert.ok(Date.now() >= dueMs);
      if (kind === 'step') assert.is(dueMs, timer.dueMs);
    }, stop.signal),
  );
  await until(async () => fired.length === 2 && (await waiting(orchestrator)) === 0);
  stop.abort();
  await Promise.all(consuming);
  assert.equal(fired.toSorted(), ['retry a1-1-2', 'step a1-1-1'], 'either may come first to who stood still');
});

test('a fired timer whose handling failed comes again', async ({ orchestrator }) => {
  await orchestrator.armTimer(job(), { kind: 'tool', key: 'x', dueMs: Date.now() });
  const stop = new AbortController();
  let tries = 0;
  const consuming = orchestrator.consumeTimers(async () => {
    if (++tries === 1) throw new Error('not yet');
  }, stop.signal);
  await until(async () => tries === 2 && (await waiting(orchestrator)) === 0);
  stop.abort();
  await consuming;
});

test('what a model says is heard live, in order, and is sealed on its way', async ({ runner, gateway, world: own }) => {
  const at = job();
  await gateway.append(at, submitted());
  const heard: string[] = [];
  const wire: Buffer[] = [];
  const end = gateway.onLive(at.tenant, at.stream, (agent, delta) => heard.push(`${agent}:${delta}`));
  const spy = await own.log('operator');
  spy.connection.subscribe(`live.${at.tenant}.${at.stream}.*`, {
    callback: (_, one) => void wire.push(Buffer.from(one.data)),
  });
  await gateway.connection.flush();
  await spy.connection.flush();
  const say = runner.live(at.tenant, at.stream, 'a1');
  for (const word of ['canary ', 'in ', 'a ', 'mine']) {
    say(word);
    await sleep(15);
  }
  await until(() => heard.join('').replaceAll('a1:', '') === 'canary in a mine');
  end();
  assert.ok(wire.length > 0 && wire.every((bytes) => !bytes.includes('canary')));
});

test('the gateway is told of every append, a worker of kills alone', async ({ gateway, orchestrator, runner }) => {
  const at = job();
  // An append whose answer is late is tried, and told, again.
  const [all, stops] = [new Set<string>(), new Set<string>()];
  const ends = [
    gateway.watch(({ type }) => void all.add(type)),
    runner.watch(({ type, key }) => void stops.add(`${type} ${key}`)),
  ];
  for (const log of [gateway, runner]) await log.connection.flush();
  await gateway.append(at, message('m1'));
  await orchestrator.append(at, epoch('2'));
  await until(() => all.size === 2 && stops.size === 1);
  for (const end of ends) end();
  assert.equal([[...all], [...stops]], [['message.posted', 'epoch.raised'], ['epoch.raised 2']]);
});

test.run();
