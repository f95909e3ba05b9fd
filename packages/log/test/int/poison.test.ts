import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { headers as newHeaders } from '@nats-io/nats-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LoomError } from '@loom/service';
import { patient, steady } from '@loom/test';
import { prefixOf, readRaw } from '../../src/index.ts';
import type { Address, Log, Parked, RawFact } from '../../src/index.ts';
import { parkedMessages } from '../../src/parked.ts';
import { poisons } from '../poison.ts';
import type { Message, Poison } from '../poison.ts';
import { all, job, shortly, submitted, tool, until, world } from '../world.ts';
import type { World } from '../world.ts';

/** each kind so often. */
const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 20 : 1;
/** A queue has to move on behind a poison within, ms. */
const bound = 1000;

interface Context {
  world: World;
  orchestrator: Log;
  at: Address;
  good: RawFact;
  /** On the disk of the log. */
  probe: FileHandle;
  /** Keys of what each consumer took. */
  taken: { readonly runner: Set<string>; readonly projection: Set<string> };
  stop: () => Promise<void>;
}
const test = suite<Context>('poison');

/** What a handler runs into by itself, by the key of the request. */
const faults: Readonly<Record<string, () => unknown>> = {
  'a type error': () => (null as unknown as { readonly name: string }).name,
  'JSON that is none': () => JSON.parse('{"path":'),
  'arguments too deep to walk': () => walk(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))),
  'a number out of range': () => Buffer.alloc(-1),
  'a text as the error': () => raise('canary'),
  'nothing as the error': () => raise(undefined),
  'an error whose cause is itself': () => {
    const error = new Error('canary');
    error.cause = error;
    raise(error);
  },
  'an error of many': () => raise(new AggregateError([new Error('canary'), 'canary'])),
  'a rejection later on': () => new Promise((_, reject) => setTimeout(() => reject(new Error('canary')), 5)),
  'a refusal for good': () => raise(new LoomError('model_rejected', 'canary')),
};
const walk = (value: unknown): number =>
  Array.isArray(value) ? value.reduce((n: number, one) => n + walk(one), 1) : 1;
function raise(cause: unknown): never {
  throw cause;
}
const names = Object.keys(faults);

/** Fails for the requests whose step names a fault. */
async function handle(step: number): Promise<void> {
  const name = names[step - 100];
  if (name !== undefined) await faults[name]!();
}

test.before(async (context) => {
  context.world = await world(shortly);
  context.orchestrator = await context.world.log('orchestrator');
  const gateway = await context.world.log('gateway');
  context.at = job();
  await gateway.append(context.at, submitted());
  await context.orchestrator.append(context.at, tool('a0-1-0-1'));
  context.good = (await all(readRaw(gateway, context.at))).at(-1)!;
  context.taken = { runner: new Set(), projection: new Set() };
  context.probe = await open(join(context.world.storeDir, '..', 'probe'), 'w');
  context.stop = await consumers(context.world, context.taken);
});
test.after(async ({ stop, probe, world: own }) => {
  await stop();
  await probe.close();
  await own[Symbol.asyncDispose]();
});

/** The runner's queue, which opens content, and a projection in order, which cannot. */
async function consumers(own: World, taken: Context['taken']): Promise<() => Promise<void>> {
  const [runner, billing] = [await own.log('agent-runner'), await own.log('billing')];
  const stop = new AbortController();
  const { signal } = stop;
  const running = [
    runner.consume({
      service: 'agent-runner',
      open: true,
      width: 4,
      signal,
      handle: async ({ key, said }) => {
        if (said?.type === 'tool.requested') await handle(said.body.step);
        taken.runner.add(key);
      },
    }),
    billing.consumeBatches({
      service: 'billing',
      size: 100,
      signal,
      handle: async (_, facts) => {
        for (const { said } of facts) if (said?.type === 'tool.requested') await handle(said.body.step);
        for (const { key } of facts) taken.projection.add(key);
      },
    }),
  ];
  return async () => {
    stop.abort();
    await Promise.all(running);
  };
}

async function publish(log: Log, { subject, headers, body }: Message): Promise<number> {
  const block = newHeaders();
  for (const [name, value] of headers) block.append(name, value);
  const reply = await log.connection.request(subject, body, { headers: block, ...patient });
  const { seq, error } = reply.json<{ seq?: number; error?: unknown }>();
  assert.ok(seq, `${subject} was not stored: ${JSON.stringify(error)}`);
  return seq;
}

/** Appends a good request behind a poison; ms until both consumers have taken it. */
async function movesOn({ orchestrator, at, taken }: Context, key: string): Promise<number> {
  const began = performance.now();
  await orchestrator.append(at, tool(key));
  await until(() => taken.runner.has(key) && taken.projection.has(key));
  return performance.now() - began;
}

/** What an append takes of the machine: the server's answer, and the disk. */
async function serves({ orchestrator, probe }: Context): Promise<void> {
  await probe.write('x', 0);
  await probe.sync();
  await orchestrator.connection.flush();
}

/** A poison, and how long the queues stood behind it, ms: of a moment in which the machine itself did not stand. */
function behind(
  context: Context,
  name: string,
  poison: (key: string) => Promise<number>,
): Promise<{ readonly seq: number; readonly took: number }> {
  let tries = 0;
  return steady(
    bound / 4,
    () => serves(context),
    async () => {
      tries++;
      const seq = await poison(`p${name}-${tries}`);
      return { seq, took: await movesOn(context, `g${name}-${tries}`) };
    },
  );
}

/** How many consumers park it. */
const reasonsOf = ({ opened, clear }: Poison): number => [opened, clear].filter((reason) => reason !== null).length;

const parkedAt = async (log: Log, seq: number): Promise<ReadonlyMap<string, Parked>> =>
  new Map((await parkedMessages(log)).filter((one) => one.seq === seq).map((one) => [one.consumer, one]));

test('every kind of poison is parked with its reason, and the queues move on within a second', async (context) => {
  const { orchestrator, at, good } = context;
  const seqs: number[] = [];
  for (let round = 1; round <= rounds; round++)
    for (const [i, { kind, make }] of poisons.entries()) {
      const poison = (key: string): Promise<number> =>
        publish(orchestrator, make(good, `${prefixOf(at)}.orchestrator.tool.requested.${key}`, at));
      const { seq, took } = await behind(context, `b${i}-${round}`, poison);
      seqs.push(seq);
      assert.ok(took < bound, `${kind}: the queues stood for ${took} ms`);
    }
  const due = seqs.reduce((sum, _, n) => sum + reasonsOf(poisons[n % poisons.length]!), 0);
  const counted = new Set(seqs);
  await until(async () => (await parkedMessages(orchestrator)).filter(({ seq }) => counted.has(seq)).length >= due);
  const all = await parkedMessages(orchestrator);
  for (const [n, seq] of seqs.entries()) {
    const { kind, opened, clear } = poisons[n % poisons.length]!;
    const reasons = new Map(all.filter((one) => one.seq === seq).map((one) => [one.consumer, one]));
    assert.is(reasons.get('agent-runner')?.reason ?? null, opened, `the runner, ${kind}`);
    assert.is(reasons.get('billing')?.reason ?? null, clear, `the projection, ${kind}`);
    for (const { attempts } of reasons.values()) assert.is(attempts, 1, kind);
  }
});

test('what a handler fails at is tried five times, a refusal once, and neither holds a queue for a second', async (context) => {
  const { orchestrator, at } = context;
  const seqs: number[] = [];
  for (let round = 1; round <= rounds; round++)
    for (const [i, name] of names.entries()) {
      const { seq, took } = await behind(context, `h${i}-${round}`, async (key) => {
        const draft = tool(key);
        const body = { ...draft.body, step: 100 + i } as typeof draft.body;
        return (await orchestrator.append(at, { ...draft, body } as typeof draft)).seq;
      });
      seqs.push(seq);
      assert.ok(took < bound, `${name}: the queues stood for ${took} ms`);
    }
  const count = async (): Promise<number> =>
    (await parkedMessages(orchestrator)).filter(({ seq }) => seqs.includes(seq)).length;
  await until(async () => (await count()) === 2 * seqs.length);
  for (const [n, seq] of seqs.entries()) {
    const name = names[n % names.length]!;
    const once = name === 'a refusal for good';
    for (const [consumer, { attempts, reason, cause }] of await parkedAt(orchestrator, seq)) {
      assert.is(reason, once ? 'model_rejected' : 'internal', `${consumer}, ${name}`);
      if (consumer === 'agent-runner') assert.is(attempts, once ? 1 : 5, name);
      assert.not.match(cause, /canary/);
    }
  }
});

test('there are 50 kinds of bytes and more', () => {
  assert.ok(poisons.length >= 50, `${poisons.length}`);
  assert.is(new Set(poisons.map(({ kind }) => kind)).size, poisons.length);
});

test.run();
