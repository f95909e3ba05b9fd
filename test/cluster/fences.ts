/** Races for one fence and for one slot on a cluster, and a decider that spells the fence's filter its own way. */
import type { Address, Draft, Log } from '@loom/log';
import { each, epoch, fence, job, outcome, tool } from './world.ts';

export interface Round {
  readonly at: Address;
  /** How many were told that they got in. */
  readonly winners: number;
}

/** One decision alone, or two items in one `decision.made`. */
const decisionOf = (i: number): Draft[] => (i % 2 === 0 ? [epoch(`d${i}`)] : [epoch(`d${i}`), tool(`a${i}-1-0-1`)]);

/** In each round all deciders decide at once on a fresh job with the same fence. */
export function raceFence(deciders: readonly Log[], rounds: number): Promise<Round[]> {
  return each(rounds, 4, async () => {
    const at = job();
    const results = await Promise.all(deciders.map((log, i) => log.decide(at, decisionOf(i), fence(0))));
    return { at, winners: results.filter((one) => one !== null).length };
  });
}

/** In each round runners complete a requested call while the orchestrator settles it as lost. */
export function raceSlot(runners: readonly Log[], orchestrators: readonly Log[], rounds: number): Promise<Round[]> {
  return each(rounds, 4, async (round) => {
    const at = job();
    await orchestrators[0]!.decide(at, [tool('a1-1-0-1')], fence(0));
    const results = await Promise.all([
      ...runners.map((log, i) => log.append(at, outcome('a1-1-0-1', `result ${round} of ${i}`))),
      ...orchestrators.map((log) => log.append(at, outcome('a1-1-0-1', 'lost', true), { source: 'agent-runner' })),
    ]);
    // Orchestrators all say the very same: who of them comes second meets its own act, which is a success.
    const lost = results.slice(runners.length).some(({ won }) => won) ? 1 : 0;
    const completed = results.slice(0, runners.length).filter(({ won }) => won).length;
    const agreed = new Set(results.map(({ seq }) => seq)).size === 1;
    return { at, winners: agreed ? completed + lost : -1 };
  });
}

/** In each round one decider sends what was decided on while others decide anew on that same decision. */
export function raceDispatch(deciders: readonly Log[], rounds: number): Promise<Round[]> {
  return each(rounds, 4, async () => {
    const at = job();
    const [sender, ...others] = deciders;
    const made = await sender!.decide(at, [epoch('d0'), tool('a0-1-0-1')], fence(0));
    const request = { seq: made!.seq, type: 'tool.requested', key: 'a0-1-0-1' } as const;
    const [, ...results] = await Promise.all([
      sender!.dispatch(at, request),
      ...others.map((log, i) => log.decide(at, [epoch(`d${i + 1}`)], fence(made!.seq))),
    ]);
    return { at, winners: results.filter((one) => one !== null).length };
  });
}

type Publish = Log['connection']['publish'];
type Headers = NonNullable<NonNullable<Parameters<Publish>[2]>['headers']>;

/** The fence's filter in a block of headers, up to its last token. */
const filter = /(Nats-Expected-Last-Subject-Sequence-Subject: \S+\.orchestrator\.)>/;

/** Makes one log spell the fence's filter differently: it matches the same subjects, letter by letter it is another. */
export function respell(log: Log): void {
  const { connection } = log;
  const publish = connection.publish.bind(connection);
  connection.publish = (subject, payload, options) => {
    const block = options?.headers as unknown as { encode(): Uint8Array } | undefined;
    if (block === undefined) return publish(subject, payload, options);
    const bytes = Buffer.from(Buffer.from(block.encode()).toString().replace(filter, '$1*.*.*'));
    publish(subject, payload, { ...options, headers: { encode: () => bytes } as unknown as Headers });
  };
}
