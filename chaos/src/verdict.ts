/** What must hold once everything runs again: the checker is green, rows say what the log says, clients were refused nothing that they had a right to. */
import { checkLog, type Report } from '@loom/check';
import { decideAgain } from '@loom/cli';
import { connectLog, type ClearFact, type Log } from '@loom/log';
import { openVault } from '@loom/vault';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rig } from './rig.ts';

/** The whole log, opened with the operator's rights and the stack's root key. */
export function openLog({ stack }: Rig): Promise<Log> {
  const rootKeyFile = stack.environment('orchestrator')['LOOM_ROOT_KEY_FILE'] ?? '';
  return connectLog({
    servers: stack.natsUrl,
    user: 'operator',
    password: stack.environment('operator')['LOOM_NATS_PASSWORD'] ?? '',
    source: 'operator',
    vault: (connection) => openVault({ connection, rootKeyFile }),
  });
}

/** The checker's report over the whole log and both ledgers. `running`: jobs may still be open. */
export async function check(rig: Rig, running = false): Promise<Report> {
  const ledgers = { models: [...rig.model.ledger], runs: await rig.runs() }; // before the log's end is looked up
  await using log = await openLog(rig);
  return await checkLog(log, { ledgers, kills: rig.faults.disruptions, running, decide: decideAgain });
}

/** In words, at most `most` of them. */
export function wordsOf({ findings }: Report, most = 12): readonly string[] {
  return findings
    .slice(0, most)
    .map(({ rule, job, seq, subject, message }) => `${rule}: ${job} ${seq} ${subject}: ${message}`);
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

/** What is wrong with the rows `seconds` after everything runs. */
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
    return wrong.flat();
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
