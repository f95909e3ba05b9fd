/** The real SDKs of both providers run the example brief against emulators; its figures come from the runs and change with the file. */
import { readFile } from 'node:fs/promises';
import type { ClearFact } from '@loom/log';
import { allFacts, clientOf, stack } from '@loom/test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../../anthropic.ts';
import { openaiEmulator } from '../../openai.ts';
import type { Emulator } from '../../script.ts';
import { swarmScript } from '../../swarm-script.ts';

const examples = new URL('../../../../examples/', import.meta.url);
const read = (name: string): Promise<string> => readFile(new URL(name, examples), 'utf8');

interface Ran {
  readonly facts: readonly ClearFact[];
  readonly report: string;
}

const count = (facts: readonly ClearFact[], type: ClearFact['type']): number =>
  facts.flatMap(({ items }) => items.filter((item) => item.type === type)).length;

async function runBoth(
  env: Readonly<Record<string, string>>,
  briefs: readonly [string, string],
): Promise<readonly Ran[]> {
  await using system = await stack({ env });
  const client = clientOf(system);
  const packages = await read('debian-packages.csv');
  const zones = await read('time-zones.tsv');
  const shorter = `${packages.trimEnd().split('\n').slice(0, -100).join('\n')}\n`;
  const given = [packages, shorter].map((file) => ({ 'debian-packages.csv': file, 'time-zones.tsv': zones }));
  const ids = await Promise.all(given.map((files, at) => client.submit(briefs[at] ?? '', files)));
  const jobs = await Promise.all(ids.map((id) => client.ended(id, 120)));
  for (const job of jobs) assert.is(job.status, 'completed');
  const facts = await allFacts(system);
  const ran = ids.map(async (id) => ({
    facts: facts.filter(({ stream }) => stream === id),
    report: (await client.artifact(id, 'final/report.md')).toString(),
  }));
  return await Promise.all(ran);
}

/** Rows and the sum of a column, computed apart from everything that Loom did. The sections are quoted nowhere before the column. */
function recompute(file: string): { readonly rows: number; readonly kilobytes: number } {
  const [, ...lines] = file.trimEnd().split('\n');
  const kilobytes = lines.reduce((sum, line) => sum + Number(line.split(',')[5] ?? 0), 0);
  return { rows: lines.length, kilobytes };
}

async function holds(env: Readonly<Record<string, string>>, emulator: Emulator): Promise<void> {
  const brief = await read('compare-packages.md');
  const briefs = [`First. ${brief}`, `Second. ${brief}`] as const;
  const [whole, part] = await runBoth(env, briefs);
  if (!whole || !part) throw new Error('a job is missing');
  checkSwarm(whole.facts);
  const { rows, kilobytes } = recompute(await read('debian-packages.csv'));
  assert.match(whole.report, `| debian-packages.csv: rows | ${rows} |`);
  assert.match(whole.report, `| debian-packages.csv: sum of installed_kb | ${kilobytes} |`);
  assert.match(part.report, `| debian-packages.csv: rows | ${rows - 100} |`);
  assert.not.match(part.report, `| debian-packages.csv: sum of installed_kb | ${kilobytes} |`);
  checkLedger(whole.facts, emulator, '# Brief\nFirst.');
}

function checkSwarm(facts: readonly ClearFact[]): void {
  const runs = facts.flatMap(({ items }) =>
    items.flatMap((item) => (item.type === 'run.requested' ? [`${item.body.agent}-${item.body.step}`] : [])),
  );
  assert.ok(count(facts, 'agent.spawned') >= 5, 'a planner, three at work and a writer');
  assert.ok(count(facts, 'workspace.closed') >= 5, 'five real runs');
  assert.ok(new Set(runs).size < runs.length, 'several calls in one step');
}

/** What the provider counted is what Loom has on record: every call once. */
function checkLedger(facts: readonly ClearFact[], emulator: Emulator, opening: string): void {
  const entries = emulator.ledger.filter(
    ({ asked }) => asked?.turns[0]?.role === 'user' && asked.turns[0].text.startsWith(opening),
  );
  const steps = facts.flatMap(({ items }) =>
    items.flatMap((item) => (item.type === 'step.settled' ? [item.body] : [])),
  );
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  assert.is(entries.length, steps.length);
  assert.is(sum(entries.map(({ tokensIn }) => tokensIn)), sum(steps.map(({ tokens_in }) => tokens_in)));
  assert.is(sum(entries.map(({ tokensOut }) => tokensOut)), sum(steps.map(({ tokens_out }) => tokens_out)));
  assert.equal(emulator.ledger.map(({ refusal }) => refusal).filter(Boolean), [], 'no request broke the schema');
}

test('Anthropic: three agents and more, parallel calls, real runs, and figures that follow the file', async () => {
  await using emulator = await anthropicEmulator({ script: swarmScript });
  await holds({ ANTHROPIC_BASE_URL: emulator.url }, emulator);
});

test('OpenAI: three agents and more, parallel calls, real runs, and figures that follow the file', async () => {
  await using emulator = await openaiEmulator({ script: swarmScript });
  await holds({ OPENAI_BASE_URL: emulator.url }, emulator);
});

test.run();
