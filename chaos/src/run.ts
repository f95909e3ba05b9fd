/** The chaos run: jobs under load while processes are killed, stopped, deployed and crashed at named points; then everything has to be right. */
import type { Control } from './controls.ts';
import { load, submit, unended } from './load.ts';
import { rage, smallDeck, type Deck } from './rage.ts';
import { startRig, type Rig } from './rig.ts';
import { check, rowsAgree, wordsOf } from './verdict.ts';

export interface Plan {
  readonly seed: number;
  /** Jobs that are submitted; more when `minutes` have not passed. */
  readonly jobs: number;
  /** Shortest time under faults; default 0. */
  readonly minutes?: number;
  readonly control?: Control;
  /** Faults, dealt once or, while `minutes` last, again and again. */
  readonly deck?: Deck;
  /** How often each orchestrator looks at every open job, leases or not; default seldom, so that nothing but triggers moves a job. */
  readonly sweepMs?: number;
  /** Real containers and projections; default true. A control is found in the log alone, and goes without. */
  readonly whole?: boolean;
  /** Told what happens, for a person to read. */
  readonly tell?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly jobs: number;
  readonly facts: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly waste: { readonly models: number; readonly runs: number };
  readonly rederived: number;
  readonly seconds: number;
  /** What was wrong, in words; empty: all held. */
  readonly findings: readonly string[];
}

const projections = { billing: 0, audit: 0, retention: 0, evals: 0 };

export async function chaos(plan: Plan): Promise<Outcome> {
  const began = Date.now();
  const { seed, control, whole = true, tell = () => undefined } = plan;
  await using rig = await startRig({
    seed,
    sandbox: whole,
    ...(control === undefined ? {} : { control }),
    ...(plan.sweepMs === undefined ? {} : { env: { LOOM_SWEEP_MS: String(plan.sweepMs) } }),
    ...(whole ? {} : { replicas: { ...projections, gateway: 1 }, stale: 0.25 }),
  });
  tell(`seed ${seed}: a Loom of ${rig.faults.replicas.length} processes is up after ${Date.now() - began} ms`);
  await storm(rig, plan, tell);
  const early = control === undefined ? [] : wordsOf(await check(rig, true));
  const findings =
    early.length > 0 ? early : [...(await withoutSandboxes(rig, tell)), ...(await calm(rig, whole, tell))];
  tell('the log is checked');
  const report = await check(rig, control !== undefined);
  const { facts, waste, rederived } = report;
  return {
    seed,
    jobs: rig.jobs.size,
    facts,
    faults: rig.faults.counts(),
    waste,
    rederived,
    seconds: Math.round((Date.now() - began) / 1000),
    findings: [...findings, ...(early.length > 0 ? [] : wordsOf(report))],
  };
}

/** Load and faults at once, until everything runs again. */
async function storm(rig: Rig, plan: Plan, tell: (line: string) => void): Promise<void> {
  const until = Date.now() + (plan.minutes ?? 0) * 60_000;
  do await Promise.all([load(rig, plan.jobs, 400), rage(rig, plan.deck ?? smallDeck, tell)]);
  while (Date.now() < until);
  await rig.faults.quiet();
}

/** whoever was asked never answers, and the job ends all the same. */
async function withoutSandboxes(rig: Rig, tell: (line: string) => void): Promise<readonly string[]> {
  tell('the storm is over; the sandboxes stay away');
  const sandboxes = rig.faults.replicas.filter((name) => name.startsWith('sandbox'));
  return rig.faults.outage(sandboxes, async () => {
    const ids = await Promise.all([submit(rig, 1, true), submit(rig, 2, true)]);
    return (await unended(rig, ids, 45)).map((one) => `${one}, without a sandbox`);
  });
}

/** Everything runs again: every job ends in a bounded time, and rows say what facts say. */
async function calm(rig: Rig, whole: boolean, tell: (line: string) => void): Promise<readonly string[]> {
  tell('everything runs again');
  const open = await unended(rig, rig.jobs, whole ? 90 : 30);
  tell(`${rig.jobs.size - open.length} of ${rig.jobs.size} jobs have ended`);
  const refused = rig.door.refused
    .filter(({ code }) => code !== 'job_ended')
    .map(({ method, path, status, code }) => `${method} ${path} was refused: ${status} ${code}`);
  return [...open, ...refused, ...(whole ? await rowsAgree(rig) : [])];
}
