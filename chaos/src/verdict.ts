/** What must hold once everything runs again: the checker is green, rows say what the log says, clients were refused nothing that they had a right to. */
import { checkLog, checkProjection, type CheckOptions, type Report, type Waste } from '@loom/check';
import { checkAll, decideAgain } from '@loom/cli';
import type { ClearFact } from '@loom/log';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { suiteRunView } from '../../services/evals/src/views/suite-runs.ts';
import { artifactView } from '../../services/retention/src/views/artifacts.ts';
import { serviceOf } from './faults.ts';
import { openLog } from './logs.ts';
import type { Rig } from './rig.ts';

/** The checker's report over the whole log and both ledgers. */
export async function check(rig: Rig): Promise<Report> {
  const options = await optionsOf(rig);
  await using log = await openLog(rig);
  return await checkLog(log, options);
}

/** While jobs run: what the log alone says, since no ledger can be read in the same moment. */
export async function checkRunning(rig: Rig): Promise<Report> {
  await using log = await openLog(rig);
  return await checkLog(log, { decide: decideAgain, running: true });
}

/** The same, and the rows of every service beside a rebuild of them. */
export async function judge(rig: Rig, repeats = mayRepeat(rig)): Promise<Report> {
  const options = { ...(await optionsOf(rig)), kills: repeats };
  await using log = await openLog(rig);
  const url = rig.stack.postgresUrl;
  const report = await checkAll(log, options, url);
  const artifacts = await checkProjection({ log, url, projection: artifactView });
  const scores = await checkProjection({ log, url, projection: suiteRunView });
  const none = Object.entries({ artifacts, scores }).flatMap(([name, { rows }]) => (rows === 0 ? [name] : []));
  return {
    ...report,
    findings: [...report.findings, ...artifacts.findings, ...scores.findings],
    skipped: [...report.skipped, ...none.map((name) => `${name}: there are no rows that could differ`)],
  };
}

async function optionsOf(rig: Rig) {
  const ledgers = { models: [...rig.model.ledger], runs: await rig.runs() };
  return { ledgers, kills: mayRepeat(rig), decide: decideAgain } satisfies CheckOptions;
}

/** What faults may have cost, and calls that broke off because a person killed the job: one of each runner for each of those. */
export function mayRepeat({ faults, door }: Rig): Waste {
  const { models, runs } = faults.mayRepeat;
  const runners = faults.replicas.filter((name) => serviceOf(name) === 'agent-runner').length;
  return { models: models + door.kills() * runners, runs };
}

/** In words, at most `most` of them. What was not checked is as bad as what was found. */
export function wordsOf({ findings, skipped }: Report, most = 12): readonly string[] {
  const found = findings.map(({ rule, job, seq, subject, message }) => `${rule}: ${job} ${seq} ${subject}: ${message}`);
  return [...found, ...skipped.map((what) => `not checked: ${what}`)].slice(0, most);
}

/** Facts that a projection should have one row each of. */
interface Rows {
  readonly query: string;
  readonly expected: readonly string[];
}

/** One row a step, with its attempts and their cost. */
function usage(facts: readonly ClearFact[]): Rows {
  const steps = new Map<string, { attempts: number; cost: number }>();
  for (const { stream, items } of facts)
    for (const item of items) {
      if (item.type !== 'step.settled') continue;
      const name = `${stream} ${item.body.agent}-${item.body.step}`;
      const { attempts, cost } = steps.get(name) ?? { attempts: 0, cost: 0 };
      steps.set(name, { attempts: attempts + 1, cost: cost + item.body.cost_micros });
    }
  return {
    query: `select concat_ws(' ', job, key, attempts, cost_micros) as name from billing.usage where kind = 'step'`,
    expected: [...steps].map(([name, { attempts, cost }]) => `${name} ${attempts} ${cost}`),
  };
}

function jobs(facts: readonly ClearFact[]): Rows {
  const ended = facts.flatMap(({ stream, items }) =>
    items.flatMap(({ type }) =>
      /^job\.(completed|failed|cancelled|refused)$/.test(type) ? [`${stream} ${type.slice(4)}`] : [],
    ),
  );
  return { query: `select id || ' ' || status as name from gateway.jobs`, expected: ended };
}

/** No fault of a storm is one of a message: what was parked should have been tried again. */
function parked(facts: readonly ClearFact[]): readonly string[] {
  const items = facts.flatMap((fact) => fact.items);
  return items.flatMap((item) => {
    if (item.type !== 'message.parked') return [];
    const { consumer, stream, seq, reason, attempts } = item.body;
    return [`${consumer} parked ${stream} ${seq} after ${attempts} attempts: ${reason}`];
  });
}

/** What is wrong with the rows `seconds` after everything runs, and what never became any. */
export async function rowsAgree(rig: Rig, seconds = 20): Promise<readonly string[]> {
  await using log = await openLog(rig);
  const facts: ClearFact[] = [];
  for (const stream of log.streams) for await (const fact of log.tail(stream)) facts.push(fact);
  const client = new pg.Client({ connectionString: rig.stack.postgresUrl });
  await client.connect();
  try {
    const wrong = await Promise.all(
      Object.entries({ 'billing.usage': usage(facts), 'gateway.jobs': jobs(facts) }).map(async ([name, rows]) => {
        const difference = await settled(client, rows, seconds);
        return difference === '' ? [] : [`${name}: ${difference}`];
      }),
    );
    return [...wrong.flat(), ...parked(facts)];
  } finally {
    await client.end();
  }
}

/** The first differences between rows and facts once the projection had its time; empty: none. */
async function settled(client: pg.Client, { query, expected }: Rows, seconds: number): Promise<string> {
  const want = expected.toSorted();
  for (const end = Date.now() + seconds * 1000; ; await sleep(250)) {
    const got = (await client.query<{ name: string }>(query)).rows.map(({ name }) => name).toSorted();
    if (got.join('\n') === want.join('\n')) return '';
    if (Date.now() < end) continue;
    const missing = want.filter((one) => !got.includes(one)).slice(0, 3);
    const extra = got.filter((one) => !want.includes(one)).slice(0, 3);
    return `${got.length} rows for ${want.length}; missing ${missing.join(', ')}; too many ${extra.join(', ')}`;
  }
}
