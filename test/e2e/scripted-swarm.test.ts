/** The real SDKs of both providers drive whole swarms against emulators: what is reported, what is paid, and what happens when a provider fails. */
import { allFacts, clientOf, stack, type Client } from '@loom/test';
import type { ClearFact, ClearItem } from '@loom/log';
import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../emulators/anthropic.ts';
import { openaiEmulator } from '../emulators/openai.ts';
import type { Emulator, Entry } from '../emulators/script.ts';
import { storied } from '../emulators/stories.ts';
import { swarmScript } from '../emulators/swarm-script.ts';
import { figuresOf, reportedFigures } from '../support/figures.ts';
import { balances, itemsOf, priced } from '../support/money.ts';

type System = Awaited<ReturnType<typeof stack>>;
type Job = Awaited<ReturnType<Client['ended']>>;

const read = (name: string): Promise<string> => readFile(new URL(`../../examples/${name}`, import.meta.url), 'utf8');
const packages = await read('debian-packages.csv');
const zones = await read('time-zones.tsv');
const tiny = 'city,amount\nOslo,3\nRome,4\nOslo,5\nRome,1\nOslo,2\nLima,9\nLima,1\nRome,7\n';

/** Another row at the end, and one that weighs more. */
function changed(file: string): string {
  const lines = file.trimEnd().split('\n');
  const cells = (lines[100] ?? '').split(',');
  lines[100] = cells.map((cell, at) => (at === 5 ? '99999999' : cell)).join(',');
  return `${[...lines, 'zz-new-package,1.0,utils,optional,all,17,1700,2,zz-new,Somebody'].join('\n')}\n`;
}

interface Provider {
  readonly name: string;
  readonly variable: string;
  readonly emulator: typeof anthropicEmulator;
  /** Lets the planner and the first step of each worker of a dear job through, no more. Micro-USD. */
  readonly smallBudget: number;
}

const providers: readonly Provider[] = [
  { name: 'Anthropic', variable: 'ANTHROPIC', emulator: anthropicEmulator, smallBudget: 700_000 },
  { name: 'OpenAI', variable: 'OPENAI', emulator: openaiEmulator, smallBudget: 1_000_000 },
];

interface World {
  provider: Provider;
  emulator: Emulator;
  system: System;
  client: Client;
}

/** Facts of one job. */
const factsOf = async ({ system }: World, id: string): Promise<readonly ClearFact[]> =>
  (await allFacts(system)).filter(({ stream }) => stream === id);

/** The provider's own ledger of a job, by the text of its brief. */
const ledgerOf = ({ emulator }: World, brief: string): readonly Entry[] =>
  emulator.ledger.filter(({ body }) => body.includes(brief));

function holdsFigures(
  report: string,
  files: Readonly<Record<string, readonly [text: string, delimiter: string]>>,
): void {
  const expected = Object.entries(files).flatMap(([name, file]) => [...figuresOf(name, ...file)]);
  const order = (figures: Iterable<readonly [string, string]>): (readonly [string, string])[] =>
    [...figures].toSorted(([a], [b]) => (a < b ? -1 : 1));
  assert.equal(order(reportedFigures(report)), order(expected));
}

function holdsSwarm(facts: readonly ClearFact[]): void {
  assert.ok(itemsOf(facts, 'agent.spawned').length >= 5, 'a planner, three at work and a writer');
  const runs = itemsOf(facts, 'run.requested');
  const done = new Set(
    itemsOf(facts, 'tool.settled').flatMap(({ key, body }) => (body.outcome === 'completed' ? [key] : [])),
  );
  assert.ok(runs.length >= 5 && runs.every(({ key }) => done.has(key)), 'five and more real runs, all settled');
  const steps = runs.map(({ body }) => `${body.agent}-${body.step}`);
  assert.ok(new Set(steps).size < steps.length, 'several calls in one step');
}

/** Each call of the provider's ledger has its one settled step, paid at the recorded price; never more is promised than the cap. */
function holdsMoney(facts: readonly ClearFact[], ledger: readonly Entry[]): void {
  const prices = itemsOf(facts, 'job.accepted')[0]?.body.prices ?? [];
  const settled = itemsOf(facts, 'step.settled').map(({ body }) => body);
  assert.equal(
    settled.map((body) => String(body.provider_request_id)).toSorted(),
    ledger.map((entry) => entry.requestId).toSorted(),
  );
  assert.equal(
    itemsOf(facts, 'step.requested')
      .map(({ key }) => key)
      .toSorted(),
    itemsOf(facts, 'step.settled')
      .map(({ key }) => key)
      .toSorted(),
  );
  for (const body of settled) {
    const { model, tokens_in, tokens_cached: cached, tokens_written: written, tokens_out: out } = body;
    assert.is(
      body.cost_micros,
      priced(prices, { model, in: tokens_in, cached, written, out }),
      `cost of ${body.agent}-${body.step}-${body.attempt}`,
    );
    const entry = ledger.find(({ requestId }) => requestId === body.provider_request_id);
    if (body.outcome === 'completed')
      assert.equal([body.tokens_in, body.tokens_out], [entry?.tokensIn, entry?.tokensOut]);
  }
  assert.ok(settled.some(({ cost_micros }) => cost_micros > 0));
  for (const { cap, reserved, settled: spent } of balances(facts))
    assert.ok(spent + reserved <= cap, `${spent} + ${reserved} > ${cap}`);
}

const completed = (job: Job): void => assert.is(job.status, 'completed', JSON.stringify(job.failure ?? job.refusal));
const reportOf = async ({ client }: World, id: string): Promise<string> =>
  (await client.artifact(id, 'final/report.md')).toString();

/** Two takes on the example's files, the second with a row more and one changed. */
async function followsTheFile(world: World): Promise<void> {
  const takes = [
    ['Profile both, first take.', packages],
    ['Profile both, second take.', changed(packages)],
  ] as const;
  for (const [brief, file] of takes) {
    const id = await world.client.submit(brief, { 'debian-packages.csv': file, 'time-zones.tsv': zones });
    completed(await world.client.ended(id));
    holdsFigures(await reportOf(world, id), { 'debian-packages.csv': [file, ','], 'time-zones.tsv': [zones, '\t'] });
    const facts = await factsOf(world, id);
    holdsSwarm(facts);
    holdsMoney(facts, ledgerOf(world, brief));
  }
}

async function survivesFaults(world: World): Promise<void> {
  const brief = 'STORY faults: profile it.';
  const id = await world.client.submit(brief, { 'tiny.csv': tiny });
  completed(await world.client.ended(id));
  holdsFigures(await reportOf(world, id), { 'tiny.csv': [tiny, ','] });
  const facts = await factsOf(world, id);
  const failed = itemsOf(facts, 'step.settled').filter(({ body }) => body.outcome === 'failed');
  assert.equal(failed.map(({ body }) => body.code).toSorted(), ['overloaded', 'rate_limited', 'stream_cut']);
  holdsMoney(facts, ledgerOf(world, brief));
  const limited = timeOf(facts, (item) => item.type === 'step.settled' && item.body.code === 'rate_limited');
  const again = timeOf(facts, (item) => item.type === 'step.requested' && item.key === 'a0-1-2');
  assert.ok(again - limited >= 2_000, 'not before the provider wants it');
}

const timeOf = (facts: readonly ClearFact[], is: (item: ClearItem) => boolean): number =>
  facts.find(({ items }) => items.some(is))?.time ?? NaN;

async function stopsAtItsBudget(world: World): Promise<void> {
  const { client, provider } = world;
  const brief = 'STORY dear: profile it.';
  const { id } = await client.gateway.json<{ id: string }>('POST', '/v1/jobs', {
    brief,
    budget_micros: provider.smallBudget,
    attachments: [{ name: 'tiny.csv', media_type: 'text/csv', content_base64: Buffer.from(tiny).toString('base64') }],
  });
  const waiting = await client.until(id, ({ status }) => status === 'waiting_budget' || status === 'failed');
  assert.is(waiting.status, 'waiting_budget');
  assert.is(waiting.reserved_micros, 0);
  const facts = await factsOf(world, id);
  const paid = billOf(facts, ledgerOf(world, brief));
  assert.is(paid, waiting.spent_micros, 'the books agree with the provider');
  assert.ok(paid > provider.smallBudget / 2 && paid <= provider.smallBudget, `${paid} of ${provider.smallBudget}`);
  assert.ok((itemsOf(facts, 'budget.exhausted')[0]?.body.needed_micros ?? 0) > provider.smallBudget);
  const answer = await client.gateway.call('POST', `/v1/jobs/${id}/budget`, { budget_micros: 20_000_000 });
  assert.is(answer.status, 200);
  completed(await client.ended(id));
  holdsFigures(await reportOf(world, id), { 'tiny.csv': [tiny, ','] });
  holdsMoney(await factsOf(world, id), ledgerOf(world, brief));
}

/** What the provider would charge for a dear job: each of its calls has 200 cached tokens. */
function billOf(facts: readonly ClearFact[], ledger: readonly Entry[]): number {
  const prices = itemsOf(facts, 'job.accepted')[0]?.body.prices ?? [];
  const costs = ledger.map(({ asked, tokensIn, tokensOut }) =>
    priced(prices, { model: asked?.model ?? '', in: tokensIn, cached: 200, written: 0, out: tokensOut }),
  );
  return costs.reduce((sum, cost) => sum + cost, 0);
}

async function endsOnABadKey(world: World): Promise<void> {
  const brief = 'STORY refused: profile it.';
  const job = await world.client.ended(await world.client.submit(brief, { 'tiny.csv': tiny }));
  assert.is(job.status, 'failed');
  assert.is(job.failure?.code, 'unauthorized');
  assert.is(job.spent_micros, 0);
  assert.is(ledgerOf(world, brief).length, 1, 'it is not tried again');
}

async function open(world: World, provider: Provider): Promise<void> {
  world.provider = provider;
  world.emulator = await provider.emulator({ script: storied(swarmScript) });
  const env = { [`${provider.variable}_BASE_URL`]: world.emulator.url, [`${provider.variable}_API_KEY`]: 'test' };
  world.system = await stack({ env });
  world.client = clientOf(world.system);
}

for (const provider of providers) {
  const test = suite<World>(provider.name);
  test.before((world) => open(world, provider));
  test.after(async ({ system, emulator }) => {
    await system[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
  });
  test(
    'every figure of the report comes from runs over the file, and follows the file when it changes',
    followsTheFile,
  );
  test('a 429 with retry-after, a 529 and a cut stream are tried again, and the job completes', survivesFaults);
  test('a small budget stops the job before it is overspent, and a larger one lets it go on', stopsAtItsBudget);
  test('a key that the provider turns down ends the job as failed, with a clear code, at once and free', endsOnABadKey);
  test('no request broke the published schema', ({ emulator }) => {
    assert.equal(
      emulator.ledger.flatMap(({ refusal }) => refusal ?? []),
      [],
    );
  });
  test.run();
}
