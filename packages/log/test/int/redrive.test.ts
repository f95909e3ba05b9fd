import { LoomError } from '@loom/service';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drop, messageOf, parkedMessages, redrive } from '../../src/index.ts';
import type { Address, Delivery, Fact, Log, Parked } from '../../src/index.ts';
import { failing, fence, job, run, shortly, tool, until, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  orchestrator: Log;
  operator: Log;
}
const test = suite<Context>('redrive');
const act = { person: 'ops', reason: 'mended' };

test.before(async (context) => {
  context.world = await world(shortly);
  context.orchestrator = await context.world.log('orchestrator');
  context.operator = await context.world.log('operator');
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

/** A runner at work with this handler until it is disposed of, by a test that fails too: it would take what the next one waits for. */
async function runner(own: World, handle: (fact: Fact, delivery: Delivery) => Promise<void>): Promise<AsyncDisposable> {
  const log = await own.log('agent-runner');
  const stop = new AbortController();
  const running = log.consume({ service: 'agent-runner', open: true, width: 20, signal: stop.signal, handle });
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function ask(log: Log, count: number): Promise<readonly Address[]> {
  const jobs = Array.from({ length: count }, () => job());
  await Promise.all(jobs.map((at) => request(log, at)));
  return jobs;
}

async function request(log: Log, at: Address): Promise<void> {
  await log.decide(at, [tool('a1-1-0-1')], fence(0, 0));
}

const of = async (log: Log, jobs: readonly Address[]): Promise<readonly Parked[]> =>
  (await parkedMessages(log)).filter(({ at }) => jobs.some(({ stream }) => stream === at.stream));

const inState = (state: Parked['state'], log: Log, jobs: readonly Address[]) => async (): Promise<boolean> =>
  (await of(log, jobs)).filter((one) => one.state === state).length === jobs.length;

test('100 messages redriven twice, and twice at once, take effect once each (R-08)', async (context) => {
  const { world: own, orchestrator, operator } = context;
  const jobs = await ask(orchestrator, 100);
  const names = new Set(jobs.map(({ stream }) => stream));
  const effects = new Map<string, number>();
  let mended = false;
  await using working = await runner(own, async ({ stream, said }) => {
    if (!names.has(stream)) return;
    if (!mended) throw new LoomError('unknown_schema');
    assert.is(said?.type === 'tool.requested' && said.body.args, '{}');
    effects.set(stream, (effects.get(stream) ?? 0) + 1);
  });
  await until(inState('parked', operator, jobs));
  mended = true;
  const parked = await of(operator, jobs);
  await Promise.all(parked.flatMap((one) => [redrive(operator, one, act), redrive(operator, one, act)]));
  await until(() => effects.size === jobs.length);
  const again = await of(operator, jobs);
  assert.equal([...new Set(again.map(({ state, round }) => `${state} ${round}`))], ['redriven 1']);
  for (const one of again) assert.ok((await redrive(operator, one, act)).won);
  for (const one of parked) await forge(operator, one);
  const last = job();
  names.add(last.stream);
  await request(orchestrator, last);
  await until(() => effects.has(last.stream));
  await working[Symbol.asyncDispose]();
  assert.equal([...new Set(effects.values())], [1]);
});

/** A second redrive as somebody might write it who does not look whether the first failed. */
async function forge(log: Log, parked: Parked): Promise<void> {
  const { at, consumer, stream, seq, key } = parked;
  const { subject } = await messageOf(log, parked);
  await log.append(at, {
    type: 'message.redriven',
    key: `${key}-2`,
    body: { consumer, stream, seq, subject, ...act },
  });
}

test('what fails again is parked again, and counts its attempts on', async ({ world: own, orchestrator, operator }) => {
  const jobs = await ask(orchestrator, 1);
  let tries = 0;
  await using working = await runner(own, async ({ stream }) => {
    if (stream !== jobs[0]!.stream) return;
    tries++;
    throw new LoomError('model_rejected');
  });
  await until(inState('parked', operator, jobs));
  const [first] = await of(operator, jobs);
  await redrive(operator, first!, act);
  await until(async () => (await of(operator, jobs))[0]!.attempts === 2);
  await working[Symbol.asyncDispose]();
  const [second] = await of(operator, jobs);
  assert.equal(
    [tries, second!.state, second!.round, second!.reason, second!.cause],
    [2, 'parked', 1, 'model_rejected', 'LoomError'],
  );
  assert.is(second!.key, first!.key);
});

test('what was dropped stays dropped, with its reason, and is handed over no more', async (context) => {
  const { world: own, orchestrator, operator } = context;
  const jobs = await ask(orchestrator, 1);
  let tries = 0;
  await using working = await runner(own, async ({ stream }) => {
    if (stream !== jobs[0]!.stream) return;
    tries++;
    throw new LoomError('model_rejected');
  });
  await until(inState('parked', operator, jobs));
  const [parked] = await of(operator, jobs);
  await drop(operator, parked!, { person: 'ops', reason: 'of a trial' });
  const [dropped] = await of(operator, jobs);
  assert.equal([dropped!.state, dropped!.note], ['dropped', 'of a trial']);
  assert.is(await failing(redrive(operator, dropped!, act)), 'message_dropped');
  assert.is(await failing(drop(operator, dropped!, { person: 'ops', reason: 'of another' })), 'message_dropped');
  assert.ok((await drop(operator, dropped!, { person: 'ops', reason: 'of a trial' })).won);
  await working[Symbol.asyncDispose]();
  assert.is(tries, 1);
});

test('the sandbox, which may read little, is handed what it parked again', async ({
  world: own,
  orchestrator,
  operator,
}) => {
  const at = job();
  await orchestrator.decide(at, [tool('a1-1-0-1')], fence(0, 0));
  await orchestrator.append(at, run('a1-2-0-1'));
  const sandbox = await own.log('sandbox');
  const stop = new AbortController();
  let mended = false;
  const ran: string[] = [];
  const running = sandbox.consume({
    service: 'sandbox',
    open: false,
    width: 4,
    signal: stop.signal,
    handle: async ({ stream, key }) => {
      if (stream !== at.stream) return;
      if (!mended) throw new LoomError('undecodable');
      ran.push(key);
    },
  });
  const parked = async (): Promise<readonly Parked[]> =>
    (await of(operator, [at])).filter(({ consumer }) => consumer === 'sandbox');
  await until(async () => (await parked()).length === 1);
  mended = true;
  await redrive(operator, (await parked())[0]!, act);
  await until(() => ran.length > 0);
  stop.abort();
  await running;
  assert.equal(ran, ['a1-2-0-1']);
});

test.run();
