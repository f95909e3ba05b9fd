import { LoomError } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prefixOf } from '../../src/index.ts';
import type { Address, Log } from '../../src/index.ts';
import { all, epoch, job, message, run, submitted, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
  runner: Log;
}
const test = suite<Context>('consume');

test.before(async (context) => {
  context.world = await world({ ackWait: 2000 });
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
  context.runner = await context.world.log('agent-runner');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

const fence = { seq: 0, orchestratorSeq: 0, chain: '' };
const step = (key: string) =>
  ({
    type: 'tool.requested',
    key,
    body: {
      agent: 'a1',
      step: 1,
      call: 0,
      attempt: 1,
      epoch: 0,
      tool: 'list_files',
      args: '{}',
      reserved_micros: 0,
      deadline_ms: 1000,
    },
  }) as const;

/** Runs until `done` says so, at most 15 s. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error('it never came');
    await sleep(20);
  }
}

const parkedOf = async (log: Log, at: Address) =>
  (await all(log.readClear(at))).flatMap(({ said }) => (said?.type === 'message.parked' ? [said.body] : []));

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
  await Promise.all(jobs.map((at) => orchestrator.decide(at, [step('a1-1-0-1')], fence)));
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
  await orchestrator.decide(poison, [step('a1-1-0-1')], fence);
  const subject = `${prefixOf(damaged)}.orchestrator.tool.requested.a1-1-0-1`;
  await orchestrator.connection.request(subject, Buffer.from('canary'), { timeout: 2000 });
  await orchestrator.decide(good, [step('a1-1-0-1')], fence);
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
  for (const at of [odd, away]) await orchestrator.decide(at, [step('a1-1-0-1')], fence);
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

test('a handler that takes longer than the ack wait gets its message once', async ({ orchestrator, runner }) => {
  const at = job();
  await orchestrator.decide(at, [step('a1-1-0-1')], fence);
  const stop = new AbortController();
  let [begun, ended] = [0, 0];
  const consuming = runner.consume({
    service: 'agent-runner',
    open: false,
    width: 4,
    signal: stop.signal,
    handle: async () => {
      begun++;
      await sleep(3500);
      ended++;
    },
  });
  await until(() => ended > 0);
  stop.abort();
  await consuming;
  assert.equal([begun, ended], [1, 1]);
});

test('what is in hand is finished before consume resolves', async ({ orchestrator, runner }) => {
  await orchestrator.decide(job(), [step('a1-1-0-1')], fence);
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

test('a leased stream is handled by one replica, and by the other once that is gone', async ({
  world: own,
  gateway,
}) => {
  const logs = [await own.log('orchestrator'), await own.log('orchestrator')];
  const stops = logs.map(() => new AbortController());
  const seen: { replica: number; stream: string }[] = [];
  const consuming = logs.map((log, replica) =>
    log.consume({
      service: 'orchestrator',
      open: false,
      width: 8,
      signal: stops[replica]!.signal,
      handle: async ({ stream }) => void seen.push({ replica, stream }),
    }),
  );
  const at = job();
  await gateway.append(at, submitted());
  await until(() => seen.some(({ stream }) => stream === at.stream));
  for (let i = 0; i < 5; i++) await gateway.append(at, message(`m${i}`));
  await until(() => seen.filter(({ stream }) => stream === at.stream).length === 6);
  const [first] = seen.filter(({ stream }) => stream === at.stream);
  assert.ok(seen.every(({ replica, stream }) => stream !== at.stream || replica === first!.replica));
  stops[first!.replica]!.abort();
  await consuming[first!.replica];
  await gateway.append(at, message('later'));
  await until(() => seen.filter(({ stream }) => stream === at.stream).length === 7);
  assert.is(seen.at(-1)!.replica, 1 - first!.replica);
  stops[1 - first!.replica]!.abort();
  await Promise.all(consuming);
});

test('what a dead replica had in hand comes to its successor at once', async ({ world: own, gateway }) => {
  const [dead, heir] = [await own.log('orchestrator'), await own.log('orchestrator')];
  const at = job();
  await gateway.append(at, submitted());
  let held = false;
  const never = new Promise<void>(() => undefined);
  void dead.consume({
    service: 'orchestrator',
    open: false,
    width: 8,
    signal: new AbortController().signal,
    handle: async ({ stream }) => {
      if (stream === at.stream) held = true;
      await never;
    },
  });
  await until(() => held);
  await dead.connection.close();
  const stop = new AbortController();
  let came = false;
  const consuming = heir.consume({
    service: 'orchestrator',
    open: false,
    width: 8,
    signal: stop.signal,
    handle: async ({ stream }) => void (came ||= stream === at.stream),
  });
  await until(() => came);
  stop.abort();
  await consuming;
});

test('a projection gets every fact of a stream in order, through failures and changes of replica', async ({
  world: own,
  orchestrator,
}) => {
  const jobs = Array.from({ length: 6 }, () => job());
  const seen = new Map<string, number[]>();
  let calls = 0;
  const take = async (stream: string, facts: readonly { seq: number }[]): Promise<void> => {
    if (++calls % 3 === 0) throw new LoomError('database_unavailable');
    const list = seen.get(stream) ?? [];
    for (const { seq } of facts) if (seq > (list.at(-1) ?? 0)) list.push(seq);
    seen.set(stream, list);
  };
  const start = async (): Promise<() => Promise<void>> => {
    const log = await own.log('audit');
    const stop = new AbortController();
    const consuming = log.consumeBatches({ service: 'audit', size: 7, signal: stop.signal, handle: take });
    return async () => {
      stop.abort();
      await consuming;
    };
  };
  const write = (from: number): Promise<unknown> =>
    Promise.all(
      jobs.flatMap((at) => Array.from({ length: 20 }, (_, i) => orchestrator.append(at, epoch(`e${from + i}`)))),
    );
  const stopFirst = await start();
  await write(0);
  await until(() => seen.size > 0);
  await stopFirst();
  const stopSecond = await start();
  await write(100);
  const last = await lastSeqs(orchestrator);
  await until(() => [...last].every(([stream, seq]) => (seen.get(stream)?.at(-1) ?? 0) === seq));
  await stopSecond();
  for (const [stream, seqs] of seen)
    assert.equal(
      seqs,
      Array.from({ length: last.get(stream)! }, (_, i) => i + 1),
      stream,
    );
});

async function lastSeqs(log: Log): Promise<Map<string, number>> {
  const result = new Map<string, number>();
  for (const stream of log.streams) {
    const info = await log.connection.request(`$JS.API.STREAM.INFO.${stream}`, '', { timeout: 2000 });
    const { state } = info.json<{ state: { last_seq: number } }>();
    if (state.last_seq > 0) result.set(stream, state.last_seq);
  }
  return result;
}

test('what a projection cannot take is parked, the rest of its batch is not', async ({ world: own, orchestrator }) => {
  const at = job();
  for (const key of ['e1', 'e2', 'e3']) await orchestrator.append(at, epoch(key));
  await orchestrator.append(at, run('a1-1-0-1'));
  const billing = await own.log('billing');
  const stop = new AbortController();
  const taken: string[] = [];
  const consuming = billing.consumeBatches({
    service: 'billing',
    size: 100,
    signal: stop.signal,
    handle: async (_, facts) => {
      if (facts.some(({ stream, key }) => stream === at.stream && key === 'e2')) throw new LoomError('undecodable');
      taken.push(...facts.filter(({ stream }) => stream === at.stream).map(({ key }) => key));
    },
  });
  await until(() => taken.includes('a1-1-0-1') && taken.some((key) => key.startsWith('billing-')));
  stop.abort();
  await consuming;
  assert.equal(taken.slice(0, 3), ['e1', 'e3', 'a1-1-0-1']);
  assert.is((await parkedOf(billing, at))[0]!.reason, 'undecodable');
});

test.run();
