import { LoomError } from '@loom/service';
import { patient, steady } from '@loom/test';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prefixOf } from '../../src/index.ts';
import type { Log } from '../../src/index.ts';
import { fence, job, parkedOf, shortly, tool, until, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  orchestrator: Log;
  runner: Log;
}
const test = suite<Context>('consume');

test.before(async (context) => {
  context.world = await world(shortly);
  context.orchestrator = await context.world.log('orchestrator');
  context.runner = await context.world.log('agent-runner');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

test('each request comes once to one of the replicas, opened, and at most `width` at once', async ({
  world: own,
  orchestrator,
  runner,
}) => {
  const jobs = Array.from({ length: 24 }, () => job());
  const stop = new AbortController();
  const seen: string[] = [];
  let [busy, most] = [0, 0];
  const replicas = [runner, await own.log('agent-runner')].map((log) =>
    log.consume({
      service: 'agent-runner',
      open: true,
      width: 3,
      signal: stop.signal,
      handle: async (fact) => {
        most = Math.max(most, ++busy);
        await sleep(10);
        busy--;
        assert.is(fact.said?.type === 'tool.requested' && fact.said.body.args, '{}');
        seen.push(fact.stream);
      },
    }),
  );
  await Promise.all(jobs.map((at) => orchestrator.decide(at, [tool('a1-1-0-1')], fence(0, 0))));
  await until(() => seen.length >= jobs.length);
  stop.abort();
  await Promise.all(replicas);
  assert.equal(seen.toSorted(), jobs.map(({ stream }) => stream).toSorted());
  assert.ok(most <= 6, `${most} at once`);
});

test('a poison message is parked with its cause and without content, and the queue moves on', async ({
  orchestrator,
  runner,
}) => {
  const [poison, damaged, good] = [job(), job(), job()];
  await orchestrator.decide(poison, [tool('a1-1-0-1')], fence(0, 0));
  const subject = `${prefixOf(damaged)}.orchestrator.tool.requested.a1-1-0-1`;
  await orchestrator.connection.request(subject, Buffer.from('canary'), patient);
  await orchestrator.decide(good, [tool('a1-1-0-1')], fence(0, 0));
  const stop = new AbortController();
  const handled: string[] = [];
  const consuming = runner.consume({
    service: 'agent-runner',
    open: true,
    width: 4,
    signal: stop.signal,
    handle: async (fact) => {
      if (fact.stream === poison.stream) throw new LoomError('model_rejected', 'canary');
      handled.push(fact.stream);
    },
  });
  await until(async () => handled.includes(good.stream) && (await parkedOf(runner, poison)).length > 0);
  stop.abort();
  await consuming;
  const [parked] = await parkedOf(runner, poison);
  assert.equal([parked!.consumer, parked!.reason, parked!.attempts], ['agent-runner', 'model_rejected', 1]);
  assert.not.ok(JSON.stringify(parked).includes('canary'));
});

test('a failure for no known reason is tried five times, one that will pass until it does', async ({
  orchestrator,
  runner,
}) => {
  const [odd, away] = [job(), job()];
  for (const at of [odd, away]) await orchestrator.decide(at, [tool('a1-1-0-1')], fence(0, 0));
  const stop = new AbortController();
  let [tries, passing, passed] = [0, 0, 0];
  const consuming = runner.consume({
    service: 'agent-runner',
    open: false,
    width: 4,
    signal: stop.signal,
    handle: async (fact, { attempts }) => {
      if (fact.stream === odd.stream) {
        tries = attempts;
        throw new TypeError('canary');
      }
      if (fact.stream === away.stream && ++passing < 4) throw new LoomError('claimed_elsewhere');
      passed++;
    },
  });
  await until(async () => passed > 0 && (await parkedOf(runner, odd)).length > 0);
  stop.abort();
  await consuming;
  const [parked] = await parkedOf(runner, odd);
  assert.equal([tries, parked!.attempts, parked!.reason, parked!.cause], [5, 5, 'internal', 'TypeError']);
  assert.equal(await parkedOf(runner, away), []);
});

test('a handler that takes longer than the ack wait gets its message once', async ({
  world: own,
  orchestrator,
  runner,
}) => {
  await own.ackWait('agent-runner', 2000);
  const beat = (): Promise<void> => runner.connection.flush();
  assert.equal(await steady(500, beat, () => slowly(orchestrator, runner)), [1, 1]);
  await own.ackWait('agent-runner', shortly.ackWait);
});

/** How often a handler that takes 3.5 s begun and ended with one message. */
async function slowly(orchestrator: Log, runner: Log): Promise<readonly number[]> {
  const at = job();
  await orchestrator.decide(at, [tool('a1-1-0-1')], fence(0, 0));
  const stop = new AbortController();
  let [begun, ended] = [0, 0];
  const consuming = runner.consume({
    service: 'agent-runner',
    open: false,
    width: 4,
    signal: stop.signal,
    handle: async ({ stream }) => {
      if (stream !== at.stream) return;
      begun++;
      await sleep(3500);
      ended++;
    },
  });
  await until(() => ended > 0);
  stop.abort();
  await consuming;
  return [begun, ended];
}

test('what is on its way to a replica that ends comes to another at once', async ({
  world: own,
  orchestrator,
  runner,
}) => {
  await own.ackWait('agent-runner', 60_000);
  const [asked, seen] = [new Set<string>(), new Set<string>()];
  const handle = async ({ stream }: { readonly stream: string }): Promise<void> => void seen.add(stream);
  const consume = (signal: AbortSignal): Promise<void> =>
    runner.consume({ service: 'agent-runner', open: false, width: 8, signal, handle });
  const ask = async (): Promise<void> => {
    const at = job();
    asked.add(at.stream);
    await orchestrator.decide(at, [tool('a1-1-0-1')], fence(0, 0));
  };
  for (let replica = 0; replica < 40; replica++) {
    const stop = new AbortController();
    const consuming = consume(stop.signal);
    for (let i = 0; i < 4; i++) await ask();
    void ask().then(() => stop.abort());
    await ask();
    await consuming;
  }
  const stop = new AbortController();
  const consuming = consume(stop.signal);
  await until(() => asked.isSubsetOf(seen));
  stop.abort();
  await consuming;
  await own.ackWait('agent-runner', shortly.ackWait);
});

test('what is in hand is finished before consume resolves', async ({ orchestrator, runner }) => {
  await orchestrator.decide(job(), [tool('a1-1-0-1')], fence(0, 0));
  const stop = new AbortController();
  let ended = false;
  await runner.consume({
    service: 'agent-runner',
    open: false,
    width: 1,
    signal: stop.signal,
    handle: async () => {
      stop.abort();
      await sleep(100);
      ended = true;
    },
  });
  assert.ok(ended);
});

test.run();
