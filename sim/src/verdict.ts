/** Holds the history of a world against the checker's rules at every prefix, against the books of provider and engine, and against the decider itself. */
import { checkLog, rules } from '@loom/check';
import { foldJob, openBundle, stateHash } from '@loom/job';
import { openLog } from '@loom/log';
import type { Item, Log } from '@loom/log';
import { Sweep } from '@loom/orchestrator';
import type { Intake } from '@loom/orchestrator';
import { endIn, factOf } from './facts.ts';
import { openVault } from './keys.ts';
import { at, forkAt, intake } from './terms.ts';
import { inHost } from './timeline.ts';
import { decider } from './workers.ts';
import type { World } from './world.ts';

/** What is wrong with it, in words; empty: all holds. */
export async function judge(world: World): Promise<readonly string[]> {
  const found = await visited(world, async (log) => [
    ...(await check(log, world)),
    ...(await playedBack(log, world)),
    ...(await listedOpen(log)),
  ]);
  return [...found, ...fenceBesideSlips(world), ...world.provider.findings];
}

/** Reads a world as its operator. */
async function visited(world: World, read: (log: Log) => Promise<readonly string[]>): Promise<readonly string[]> {
  const { host, connection } = world.visitor('operator');
  let found: readonly string[] | undefined;
  let failure: unknown;
  inHost(host, () => {
    openLog(connection, { source: 'operator', vault: openVault, streams: world.server.events.length })
      .then(read)
      .then(
        (all) => (found = all),
        (cause: unknown) => (failure = cause),
      );
  });
  await world.timeline.run(() => found !== undefined || failure !== undefined, Infinity);
  if (found === undefined) throw failure;
  return found;
}

async function check(log: Log, { bug, provider, runs }: World): Promise<readonly string[]> {
  const decide = decider(bug);
  const { findings } = await checkLog(log, {
    ledgers: { models: provider.paid, runs },
    decide: (job, recorded) => decide(job, { ...intake, parent: parentIn(recorded) }),
  });
  return findings.map(({ rule, seq, subject, message }) => `${rule}: ${seq} ${subject}: ${message}`);
}

/** A playback comes to the state in which its parent was when it was taken over, the end and what came behind it included. */
async function playedBack(log: Log, { server }: World): Promise<readonly string[]> {
  const facts = server.events.flatMap(({ messages }) => messages.map((held) => factOf(held)));
  const end = facts.find((fact) => fact.stream === forkAt.stream && endIn(fact) !== null);
  const taken = await log.get(forkAt, 'orchestrator', 'job.forked', '0');
  if (end?.replay !== 'playback' || taken === null) return [];
  const last = parentIn(taken.items)?.facts.at(-1)?.seq ?? 0;
  const [was, is] = [stateHash(await foldJob(log, at, last)), stateHash(await foldJob(log, forkAt, end.seq))];
  return was === is ? [] : [`playback: ${end.seq} ends in the state ${is}, its parent was in ${was} at ${last}`];
}

/** Every job has ended, so none is on the list that the sweep goes by. */
const listedOpen = async (log: Log): Promise<readonly string[]> =>
  (await new Sweep(log).open()).map(({ stream, replay = '' }) => `sweep: ${replay} ${stream} ended and counts as open`);

type Parent = NonNullable<Intake['parent']>;

/** A fork's decision to take its parent over brings along what it read of it. */
function parentIn(recorded: readonly Item[]): Parent | null {
  const forked = recorded.find((item) => item.type === 'job.forked')?.body;
  return forked === undefined ? null : { facts: openBundle(forked), requestKey: forked.request_key };
}

/**
 * On a replicated stream a dispatch on its way and a decision on its way do not see each other, and the checker lets every dispatch pass.
 * Here it is known which ones slipped in: no other fact of the orchestrator may lie between a decision and its basis.
 */
function fenceBesideSlips({ server }: World): readonly string[] {
  const watch = rules.find(({ name }) => name === 'fence')!.watch({ replicated: false });
  return server.events.flatMap(({ name: stream, messages }) =>
    messages.flatMap((held) => {
      const { seq, subject } = held;
      const fact = factOf(held, stream);
      if (fact.decision !== null && server.slipped.get(stream)?.has(seq) === true) return [];
      const found = watch.see({ stream, seq, subject, fact, problem: '', sumHolds: true, chain: '' });
      return found === null ? [] : [`fence: ${seq} ${subject}: ${found}`];
    }),
  );
}
