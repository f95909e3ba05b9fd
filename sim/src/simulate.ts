import { createHash } from 'node:crypto';
import { bugs } from './bugs.ts';
import type { BugName } from './bugs.ts';
import type { Counts } from './faults.ts';
import type { Held } from './server/stream.ts';
import { factOf, endIn } from './facts.ts';
import { judge } from './verdict.ts';
import { World } from './world.ts';

/** What came of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly facts: number;
  /** Moments of simulated time, and how long it lasted in simulated ms. */
  readonly moments: number;
  readonly lasted: number;
  readonly faults: Counts;
  /** Places at which a process died: `before agent-runner.step.settled`. */
  readonly crashes: readonly string[];
  /** Of each job: `completed`, `playback failed`. */
  readonly ends: readonly string[];
  /** SHA-256 over every fact with its sequence, time, headers and bytes, hex. */
  readonly hash: string;
  /** What was wrong, in words; empty: all held. */
  readonly findings: readonly string[];
}

export async function simulate(seed: number, bug: BugName | null = null): Promise<Outcome> {
  const world = new World(seed, bug === null ? null : bugs[bug]);
  const began = world.timeline.now;
  await world.live();
  const lasted = world.timeline.now - began;
  const findings = await judge(world);
  const facts = world.server.events.flatMap(({ messages }) => messages);
  return {
    seed,
    facts: facts.length,
    moments: world.timeline.count,
    lasted,
    faults: world.faults.counts,
    crashes: [...world.faults.crashes],
    ends: facts.flatMap(endOf),
    hash: hashOf(facts),
    findings,
  };
}

function endOf(held: Held): readonly string[] {
  const fact = factOf(held);
  const end = endIn(fact);
  return end === null ? [] : [fact.replay === undefined ? end : `${fact.replay} ${end}`];
}

function hashOf(facts: readonly Held[]): string {
  const hash = createHash('sha256');
  for (const { seq, time, subject, pairs, body } of facts)
    hash.update(JSON.stringify([seq, time, subject, pairs])).update(body);
  return hash.digest('hex');
}
