/** The chaos run: jobs under load while processes are killed, stopped, deployed and crashed at named points; then everything has to be right. */
import type { Waste } from '@loom/check';
import { load, unended, withoutSandboxes } from './load.ts';
import { rage, smallDeck, type Deck } from './rage.ts';
import { startRig, sweeps, type Rig } from './rig.ts';
import { keepScore } from './scores.ts';
import { judge, mayRepeat, rowsAgree, wordsOf } from './verdict.ts';

export interface Plan {
  /** Jobs that are submitted in a round. */
  readonly jobs: number;
  /** Faults that are dealt in a round. */
  readonly deck?: Deck;
  /** How often there is a storm and a calm behind it; default 1. Workers that are away for most of the time finish nothing: a longer storm would only make the queue longer. */
  readonly rounds?: number;
  /** Told what happens, for a person to read. */
  readonly tell?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly jobs: number;
  readonly facts: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly waste: Waste;
  /** The limit of waste: how many calls and runs may have been repeated. */
  readonly mayRepeat: Waste;
  readonly rederived: number;
  readonly seconds: number;
  /** What was wrong, in words; empty: all held. */
  readonly findings: readonly string[];
}

/** A storm on a rig of its own. */
export async function chaos(seed: number, plan: Plan): Promise<Outcome> {
  const began = Date.now();
  await using rig = await startRig({ seed });
  plan.tell?.(`seed ${seed}: a Loom of ${rig.faults.replicas.length} processes is up after ${Date.now() - began} ms`);
  return await storm(rig, plan);
}

/**
 * In each round half of the deck is dealt while the orchestrators sweep against each other, half while nothing but triggers moves a job; then
 * everything runs again and all has to be right.
 */
export async function storm(rig: Rig, { tell = () => undefined, ...plan }: Plan): Promise<Outcome> {
  const began = Date.now();
  const findings: string[] = [];
  const over = new AbortController();
  const scores = keepScore(rig, over.signal);
  const half = async (): Promise<void> => {
    tell('nobody sweeps, and the sandboxes are away');
    const [alone] = await Promise.all([withoutSandboxes(rig, 60), rig.faults.configure('orchestrator', sweeps.seldom)]);
    findings.push(...alone);
  };
  try {
    for (let round = 0; round < (plan.rounds ?? 1) && findings.length === 0; round += 1) {
      tell(`storm ${round + 1}`);
      await rig.faults.configure('orchestrator', sweeps.often);
      const dealing = rage(rig, plan.deck ?? smallDeck, { tell, half, signal: over.signal });
      const [untaken] = await Promise.all([load(rig, plan.jobs, 400), dealing]);
      await rig.faults.quiet();
      findings.push(...untaken, ...(await calm(rig, tell)));
    }
  } finally {
    over.abort();
    await rig.faults.quiet();
  }
  await scores;
  return await outcomeOf(rig, findings, began);
}

/** Every job ends in a bounded time once everything runs again, and nobody was refused what was his. */
async function calm(rig: Rig, tell: (line: string) => void): Promise<readonly string[]> {
  tell('everything runs again');
  const open = await unended(rig, rig.jobs, 60);
  tell(`${rig.jobs.size - open.length} of ${rig.jobs.size} jobs have ended`);
  const refused = rig.door.refused
    .filter(({ code }) => code !== 'job_ended')
    .map(({ method, path, status, code }) => `${method} ${path} was refused: ${status} ${code}`);
  return [...open, ...refused];
}

async function outcomeOf(rig: Rig, found: readonly string[], began: number): Promise<Outcome> {
  const rows = await rowsAgree(rig);
  const report = await judge(rig);
  return {
    seed: rig.options.seed,
    jobs: rig.jobs.size,
    facts: report.facts,
    faults: rig.faults.counts(),
    waste: report.waste,
    mayRepeat: mayRepeat(rig),
    rederived: report.rederived,
    seconds: Math.round((Date.now() - began) / 1000),
    findings: [...found, ...rows, ...wordsOf(report)],
  };
}
