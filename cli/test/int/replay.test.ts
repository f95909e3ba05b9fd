/** Jobs that were really done, looked at from any of their facts and made again: nothing comes out otherwise, and what was touched is named where it lies. */
import { verifySealed, Walk } from '@loom/check';
import { foldJob } from '@loom/job';
import { parseRaw, readRaw, type Fact, type Item, type RawFact } from '@loom/log';
import { DECIDER } from '@loom/orchestrator';
import { openVault } from '@loom/vault';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { standing } from '../../src/commands/replay-state.ts';
import { makerOf, verify } from '../../src/commands/replay-verify.ts';
import { addressOf, logOf, loom, rootKeyOf, setUp, tearDown, type Context } from '../support/replay-world.ts';

const test = suite<Context>('replay');
test.before(setUp);
test.after(tearDown);

test('a completed job, one with a question and a cancelled one are verified to the last byte', async (context) => {
  const { log, system } = context;
  for (const id of [context.whole, context.asked, context.cancelled]) {
    const at = await addressOf(log, id);
    const verified = await verify(at, { log, rootKeyFile: rootKeyOf(system), upto: Infinity });
    const { broken, shredded, shadowed, unasked, remarks, decisions, requests, inputs } = verified;
    assert.equal({ broken, shredded, shadowed, unasked, remarks }, clean);
    const least = id === context.cancelled ? [4, 1, 0] : [6, 5, 3];
    const counts = [decisions, requests, inputs];
    assert.ok(
      counts.every((count, i) => count >= (least[i] ?? 0)),
      `${counts.join(', ')} of ${least.join(', ')}`,
    );
  }
});

const clean = { broken: null, shredded: false, shadowed: 0, unasked: 0, remarks: [] };

test('./loom replay --verify says so and puts on record that it opened content', async (context) => {
  const { exit, lines } = await loom(context, context.whole, '--verify');
  assert.is(exit, 0);
  assert.is(lines.at(-1)?.['ok'], true);
  assert.is(lines.at(-1)?.['content'], 'opened');
  const acts = await Array.fromAsync(context.log.readClear({ tenant: '_', stream: 'system' }));
  const [act] = acts.flatMap(({ said }) => (said?.type === 'request.recorded' ? [said.body.request] : []));
  assert.equal([act?.action, act?.target], ['loom replay --verify', context.whole]);
});

test('the state at every moment is the one that the gateway showed then', async ({ log, whole, live }) => {
  const at = await addressOf(log, whole);
  assert.ok(live.size >= 3, `${live.size} moments`);
  for (const [seq, hash] of live) assert.is(standing(await foldJob(log, at, seq))['state_hash'], hash, `at ${seq}`);
});

test('an open question, the plan and each conversation are shown as they stood', async (context) => {
  const at = await addressOf(context.log, context.asked);
  const facts = await Array.fromAsync(context.log.read(at));
  const seq = facts.find(({ items }) => items.some(({ type }) => type === 'input.requested'))?.seq ?? 0;
  const { exit, lines } = await loom(context, context.asked, '--at', String(seq));
  assert.is(exit, 0);
  const [shown = {}] = lines as { pending?: { question: string }[]; plan?: unknown[]; conversations?: unknown[] }[];
  assert.equal(
    shown.pending?.map(({ question }) => question),
    ['By day or by month?'],
  );
  assert.is(shown.plan?.length, 1, 'only the planner was there');
  const [talk] = shown.conversations as { messages: { role: string; text: string }[]; reply: { outcome: string } }[];
  assert.match(talk?.messages[0]?.text ?? '', /ASK me first\./);
  assert.is(talk?.reply.outcome, 'completed');
});

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

test('one flipped byte in a copy is reported at its exact sequence, in a body and in a header', async ({
  log,
  whole,
}) => {
  const raw = await Array.fromAsync(readRaw(log, await addressOf(log, whole)));
  assert.is((await verifySealed(raw)).broken, null);
  for (const [i, fact] of raw.entries()) {
    const body = flipped(fact.body, (i * 7) % fact.body.length);
    const ours = fact.headers.filter(([name]) => !name.startsWith('Nats-'));
    const [other] = ours[i % ours.length] ?? [];
    const headers = fact.headers.map(([name, value]): readonly [string, string] =>
      name === other ? [name, `${value.slice(0, -1)}~`] : [name, value],
    );
    for (const touched of [
      { ...fact, body },
      { ...fact, headers },
    ] satisfies RawFact[]) {
      const { broken } = await verifySealed(raw.with(i, touched));
      assert.is(broken?.seq, fact.seq, `${fact.subject}: ${broken?.message}`);
    }
  }
});

test('a fact that is missing is found at the next decision', async ({ log, whole }) => {
  const raw = await Array.fromAsync(readRaw(log, await addressOf(log, whole)));
  const at = raw.findIndex(({ subject }) => subject.includes('.step.settled.'));
  const next = raw.slice(at).find(({ headers }) => headers.some(([name]) => name === 'loom-chain'));
  assert.is((await verifySealed(raw.toSpliced(at, 1))).broken?.seq, next?.seq);
});

type Change = { readonly [T in Item['type']]?: (body: Extract<Item, { type: T }>['body']) => object };

/** The opened facts with the first item of each type changed, walked through again. */
async function walked({ log, system }: Context, id: string, change: Change, decider = DECIDER) {
  const at = await addressOf(log, id);
  const left = new Map(Object.entries(change)) as Map<string, (body: object) => object>;
  const touch = (item: Item): Item => {
    const how = left.get(item.type);
    left.delete(item.type);
    return how === undefined ? item : ({ ...item, body: { ...item.body, ...how(item.body) } } as Item);
  };
  const facts: Fact[] = [];
  for await (const fact of log.read(at)) facts.push({ ...fact, items: fact.items.map(touch) });
  const deciders = new Map((await Array.fromAsync(readRaw(log, at))).map((raw) => [raw.seq, parseRaw(raw).decider]));
  const vault = await openVault({ connection: log.connection, rootKeyFile: rootKeyOf(system) });
  const walk = new Walk(at, { ...makerOf(vault, at), decider });
  let broken: Awaited<ReturnType<Walk['see']>> = null;
  for (const fact of facts) broken ??= await walk.see(fact, deciders.get(fact.seq) ?? '');
  return { facts, made: walk.made, broken };
}

const seqOf = (facts: readonly Fact[], type: string): number =>
  facts.find(({ items }) => items.some((item) => item.type === type))?.seq ?? NaN;

test('one other letter in the brief is found at the first request that was made of it', async (context) => {
  const { facts, broken } = await walked(context, context.whole, {
    'job.submitted': ({ brief }) => ({ brief: brief.replace('C', 'c') }),
  });
  assert.is(broken?.seq, seqOf(facts, 'step.settled'));
  assert.match(broken?.message ?? '', /model request of step a0-1-1/);
});

test('a tool that was given something else is found at its outcome', async (context) => {
  const other = { 'tool.settled': () => ({ input_hmac: Buffer.alloc(32) }) } as const;
  const { facts, broken } = await walked(context, context.whole, other);
  assert.is(broken?.seq, seqOf(facts, 'tool.settled'));
});

test('a changed prompt template is named at its step and is no fault', async (context) => {
  const { facts, broken, made } = await walked(context, context.whole, {
    'step.settled': () => ({ templates: 'older', request_hmac: Buffer.alloc(32) }),
  });
  assert.is(broken, null);
  assert.equal(
    made.remarks.map(({ seq }) => seq),
    [seqOf(facts, 'step.settled')],
  );
  assert.match(made.remarks[0]?.message ?? '', /prompt templates changed \(older → .*step a0-1-1/);
});

test('what another version decided is a shadow run: differences are told, and nothing fails', async (context) => {
  const other = { 'job.completed': ({ artifacts }: { artifacts: number }) => ({ artifacts: artifacts + 1 }) } as const;
  const current = await walked(context, context.whole, other);
  assert.is(current.broken?.seq, seqOf(current.facts, 'job.completed'));
  const { broken, made } = await walked(context, context.whole, other, 'newer');
  assert.is(broken, null);
  assert.is(made.decisions, 0);
  assert.match(made.remarks.at(-1)?.message ?? '', /job\.completed 0 comes out otherwise .*: artifacts$/);
});

test('wrong usage, a job that is not there and a stack that is not up are told apart', async (context) => {
  const nowhere = { ...context, system: { ...context.system, home: join(context.system.home, 'nowhere') } };
  const ran = await Promise.all([
    loom(context, context.whole, '--at', 'x'),
    loom(context, 'job_0nosuchjob'),
    loom(nowhere, context.whole),
  ]);
  assert.equal(
    ran.map(({ exit }) => exit),
    [2, 1, 3],
  );
});

test('a shredded job is held to its sums and chains alone, and it says so', async (context) => {
  const at = await addressOf(context.log, context.asked);
  await using retention = await logOf(context.system, 'retention');
  const vault = await openVault({ connection: retention.connection, rootKeyFile: rootKeyOf(context.system) });
  await vault.destroy({ tenant: at.tenant, job: at.stream });
  const [proven, shown] = await Promise.all([loom(context, context.asked, '--verify'), loom(context, context.asked)]);
  assert.is(proven.exit, 0);
  assert.is(proven.lines.at(-1)?.['content'], 'shredded');
  assert.is(shown.exit, 1);
  assert.match(shown.err, /key was destroyed/);
});

test.run();
