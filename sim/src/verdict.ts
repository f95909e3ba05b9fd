/** Holds the history of a world against the checker's rules at every prefix, against the books of provider and engine, and against the decider itself. */
import { checkLog, rules } from '@loom/check';
import type { Finding, Report } from '@loom/check';
import { openLog, parseRaw } from '@loom/log';
import { openVault } from './keys.ts';
import { intake } from './terms.ts';
import { inHost } from './timeline.ts';
import { decider } from './workers.ts';
import type { World } from './world.ts';

/** What is wrong with it, in words; empty: all holds. */
export async function judge(world: World): Promise<readonly string[]> {
  const { findings } = await check(world);
  return [...findings.map(wordsOf), ...fenceBesideSlips(world), ...world.provider.findings];
}

const wordsOf = ({ rule, seq, subject, message }: Finding): string => `${rule}: ${seq} ${subject}: ${message}`;

async function check(world: World): Promise<Report> {
  const { host, connection } = world.visitor('operator');
  const decide = decider(world.bug);
  let report: Report | undefined;
  let failure: unknown;
  inHost(host, () => {
    const ledgers = { models: world.provider.paid, runs: world.runs };
    openLog(connection, { source: 'operator', vault: openVault, streams: world.server.events.length })
      .then((log) => checkLog(log, { ledgers, decide: (job) => decide(job, intake) }))
      .then(
        (done) => (report = done),
        (cause: unknown) => (failure = cause),
      );
  });
  await world.timeline.run(() => report !== undefined || failure !== undefined, Infinity);
  if (report === undefined) throw failure;
  return report;
}

/**
 * On a replicated stream a dispatch on its way and a decision on its way do not see each other, and the checker lets every dispatch pass.
 * Here it is known which ones slipped in: no other fact of the orchestrator may lie between a decision and its basis.
 */
function fenceBesideSlips({ server }: World): readonly string[] {
  const watch = rules.find(({ name }) => name === 'fence')!.watch({ replicated: false });
  return server.events.flatMap(({ name: stream, messages }) =>
    messages.flatMap(({ seq, time, subject, pairs: headers, body }) => {
      const fact = parseRaw({ stream, seq, time, subject, headers, body });
      if (fact.decision !== null && server.slipped.get(stream)?.has(seq) === true) return [];
      const found = watch.see({ stream, seq, subject, fact, problem: '', sumHolds: true, chain: '' });
      return found === null ? [] : [`fence: ${seq} ${subject}: ${found}`];
    }),
  );
}
