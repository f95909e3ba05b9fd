/** Many seeds, added up. */
import { createHash } from 'node:crypto';
import type { BugName } from './bugs.ts';
import { noCounts } from './faults.ts';
import type { Counts, FaultName } from './faults.ts';
import { simulate } from './simulate.ts';
import type { Outcome } from './simulate.ts';

export interface Tally {
  readonly seeds: number;
  readonly facts: number;
  readonly moments: number;
  /** Of simulated time. */
  readonly hours: number;
  /** How jobs ended, by status. */
  readonly ends: Readonly<Record<string, number>>;
  readonly faults: Counts;
  readonly crashes: readonly string[];
  /** SHA-256 over the hashes of all histories, hex. */
  readonly hash: string;
  readonly found: readonly Pick<Outcome, 'seed' | 'findings'>[];
}

export interface SeedOptions {
  /** Planted in each of them; they then stop at the first that finds it. */
  readonly bug?: BugName | null;
  readonly onProgress?: (done: number, found: number) => void;
}

export async function seeds(
  first: number,
  count: number,
  { bug = null, onProgress }: SeedOptions = {},
): Promise<Tally> {
  const outcomes: Outcome[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = await simulate(seed, bug);
    outcomes.push(outcome);
    onProgress?.(outcomes.length, outcomes.filter(({ findings }) => findings.length > 0).length);
    if (bug !== null && outcome.findings.length > 0) break;
  }
  return tallyOf(outcomes);
}

function tallyOf(outcomes: readonly Outcome[]): Tally {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const ends: Record<string, number> = {};
  const faults = noCounts();
  const hash = createHash('sha256');
  for (const outcome of outcomes) {
    for (const end of outcome.ends) ends[end] = (ends[end] ?? 0) + 1;
    for (const name of Object.keys(faults) as FaultName[]) faults[name] += outcome.faults[name];
    hash.update(outcome.hash);
  }
  return {
    seeds: outcomes.length,
    facts: sum(({ facts }) => facts),
    moments: sum(({ moments }) => moments),
    hours: Math.round(sum(({ lasted }) => lasted) / 360_000) / 10,
    ends,
    faults,
    crashes: [...new Set(outcomes.flatMap(({ crashes }) => crashes))].toSorted(),
    hash: hash.digest('hex'),
    found: outcomes.filter(({ findings }) => findings.length > 0).map(({ seed, findings }) => ({ seed, findings })),
  };
}
