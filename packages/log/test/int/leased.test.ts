import { LoomError } from '@loom/service';
import { patient, steady } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BatchOptions, Log } from '../../src/index.ts';
import { epoch, job, message, parkedOf, run, submitted, until, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
  runner: Log;
}
const test = suite<Context>('leased consumers');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
  context.runner = await context.world.log('agent-runner');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

test('a leased stream is handled by one replica, and by the other once that is gone', async ({
  world: own,
  gateway,
}) => {
  const beat = (): Promise<void> => gateway.connection.flush();
  const { alone, later } = await steady(1000, beat, () => succession(own, gateway));
  assert.is(new Set(alone).size, 1);
  assert.equal(later, [1 - alone[0]!]);
});

/** Of two replicas those that handled a job's facts, fact by fact: while both were there, and once the first of them was gone. */
async function succession(own: World, gateway: Log): Promise<Record<'alone' | 'later', readonly number[]>> {
  const logs = [await own.log('orchestrator'), await own.log('orchestrator')];
  const stops = logs.map(() => new AbortController());
  const at = job();
  const seen: { replica: number; key: string }[] = [];
  const consuming = logs.map((log, replica) =>
    log.consume({
      service: 'orchestrator',
      open: false,
      width: 8,
      signal: stops[replica]!.signal,
      handle: async ({ stream, key }) => void (stream === at.stream && seen.push({ replica, key })),
    }),
  );
  const handled = (name: string): Promise<void> => until(() => seen.some(({ key }) => key === name));
  await gateway.append(at, submitted());
  await handled('0');
  for (let i = 0; i < 5; i++) await gateway.append(at, message(`m${i}`));
  for (let i = 0; i < 5; i++) await handled(`m${i}`);
  const alone = seen.map(({ replica }) => replica);
  stops[alone[0]!]!.abort();
  await consuming[alone[0]!];
  await gateway.append(at, message('later'));
  await handled('later');
  for (const stop of stops) stop.abort();
  await Promise.all(consuming);
  return { alone, later: seen.flatMap(({ replica, key }) => (key === 'later' ? [replica] : [])) };
}

test('what a dead replica had in hand comes to its successor at once', async ({ world: own, gateway }) => {
  const [dead, heir] = [await own.log('orchestrator'), await own.log('orchestrator')];
  const at = job();
  await gateway.append(at, submitted());
  let held = false;
  const release = Promise.withResolvers<void>();
  const grave = new AbortController();
  const buried = dead
    .consume({
      service: 'orchestrator',
      open: false,
      width: 8,
      signal: grave.signal,
      handle: async ({ stream }) => {
        if (stream === at.stream) held = true;
        await release.promise;
      },
    })
    .catch(() => undefined);
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
  grave.abort();
  release.resolve();
  await buried;
});

/** A projection that notes the sequences it takes, passes over what it has, and fails every third time. */
function notebook(): { seen: Map<string, number[]>; take: BatchOptions['handle'] } {
  const seen = new Map<string, number[]>();
  let calls = 0;
  const take: BatchOptions['handle'] = async (stream, facts) => {
    if (++calls % 3 === 0) throw new LoomError('database_unavailable');
    const list = seen.get(stream) ?? [];
    for (const { seq } of facts) if (seq > (list.at(-1) ?? 0)) list.push(seq);
    seen.set(stream, list);
  };
  return { seen, take };
}

async function replica(own: World, handle: BatchOptions['handle']): Promise<() => Promise<void>> {
  const log = await own.log('audit');
  const stop = new AbortController();
  const consuming = log.consumeBatches({ service: 'audit', size: 7, signal: stop.signal, handle });
  return async () => {
    stop.abort();
    await consuming;
  };
}

test('a projection gets every fact of a stream in order, through failures and changes of replica', async ({
  world: own,
  orchestrator,
}) => {
  const jobs = Array.from({ length: 6 }, () => job());
  const { seen, take } = notebook();
  const write = (from: number): Promise<unknown> =>
    Promise.all(
      jobs.flatMap((at) => Array.from({ length: 20 }, (_, i) => orchestrator.append(at, epoch(`e${from + i}`)))),
    );
  const stopFirst = await replica(own, take);
  await write(0);
  await until(() => seen.size > 0);
  await stopFirst();
  const stopSecond = await replica(own, take);
  await write(100);
  const last = await lastSeqs(orchestrator);
  await until(() => [...last].every(([stream, seq]) => (seen.get(stream)?.at(-1) ?? 0) === seq));
  await stopSecond();
  const whole = (stream: string): number[] => Array.from({ length: last.get(stream)! }, (_, i) => i + 1);
  for (const [stream, seqs] of seen) assert.equal(seqs, whole(stream), stream);
});

async function lastSeqs(log: Log): Promise<Map<string, number>> {
  const result = new Map<string, number>();
  for (const stream of log.streams) {
    const info = await log.connection.request(`$JS.API.STREAM.INFO.${stream}`, '', patient);
    const { state } = info.json<{ state: { last_seq: number } }>();
    if (state.last_seq > 0) result.set(stream, state.last_seq);
  }
  return result;
}

test('a projection with a pace takes what trickles in meanwhile as one batch', async ({ world: own, orchestrator }) => {
  const pace = 1_500;
  const at = job();
  const audit = await own.log('audit');
  const stop = new AbortController();
  const batches: { readonly keys: readonly string[]; readonly at: number }[] = [];
  const handle: BatchOptions['handle'] = async (_, facts) => {
    const keys = facts.filter(({ stream }) => stream === at.stream).map(({ key }) => key);
    if (keys.length > 0) batches.push({ keys, at: performance.now() });
  };
  const consuming = audit.consumeBatches({ service: 'audit', size: 100, pace, signal: stop.signal, handle });
  await orchestrator.append(at, epoch('e1'));
  await until(() => batches.length === 1);
  for (const key of ['e2', 'e3', 'e4']) await orchestrator.append(at, epoch(key));
  await until(() => batches.flatMap(({ keys }) => keys).length === 4);
  stop.abort();
  await consuming;
  assert.equal(
    batches.flatMap(({ keys }) => keys),
    ['e1', 'e2', 'e3', 'e4'],
  );
  const gaps = batches.slice(1).map((batch, before) => batch.at - batches[before]!.at);
  assert.ok(
    gaps.every((gap) => gap >= pace - 50),
    gaps.join(' '),
  );
});

test('what a projection cannot take is parked, the rest of its batch is not', async ({ world: own, orchestrator }) => {
  const at = job();
  for (const key of ['e1', 'e2', 'e3']) await orchestrator.append(at, epoch(key));
  await orchestrator.append(at, run('a1-1-0-1'));
  const billing = await own.log('billing');
  const stop = new AbortController();
  const taken = new Set<string>();
  const consuming = billing.consumeBatches({
    service: 'billing',
    size: 100,
    signal: stop.signal,
    handle: async (_, facts) => {
      if (facts.some(({ stream, key }) => stream === at.stream && key === 'e2')) throw new LoomError('undecodable');
      for (const { stream, key } of facts) if (stream === at.stream) taken.add(key);
    },
  });
  await until(() => taken.has('a1-1-0-1') && [...taken].some((key) => key.startsWith('billing-')));
  stop.abort();
  await consuming;
  assert.equal([...taken].slice(0, 3), ['e1', 'e3', 'a1-1-0-1']);
  assert.is((await parkedOf(billing, at))[0]!.reason, 'undecodable');
});

test.run();
