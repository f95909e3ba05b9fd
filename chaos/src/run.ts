/** The chaos run: jobs under load while processes are killed, stopped, deployed and crashed at named points; then everything has to be right. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from './controls.ts';
import { load, submit, unended } from './load.ts';
import { boundaries, points } from './points.ts';
import { startRig, type Rig } from './rig.ts';
import { check, rowsAgree, wordsOf } from './verdict.ts';

export interface Plan {
  readonly seed: number;
  /** Jobs that are submitted; more when `minutes` have not passed. */
  readonly jobs: number;
  /** Shortest time under faults; default 0. */
  readonly minutes?: number;
  readonly control?: Control;
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

const workers = ['orchestrator', 'agent-runner', 'sandbox'];
const projections = { billing: 0, audit: 0, retention: 0, evals: 0 };

export async function chaos(plan: Plan): Promise<Outcome> {
  const began = Date.now();
  const { seed, control, whole = true, tell = () => undefined } = plan;
  await using rig = await startRig({
    seed,
    sandbox: whole,
    ...(control === undefined ? {} : { control }),
    ...(whole ? {} : { replicas: { ...projections, gateway: 1 }, stale: 0.25 }),
  });
  tell(`seed ${seed}: a Loom of ${rig.faults.replicas.length} processes is up after ${Date.now() - began} ms`);
  const findings = [...(await storm(rig, plan, tell)), ...(await calm(rig, whole, tell))];
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
    findings: [...findings, ...wordsOf(report)],
  };
}

/** Load and faults at once; then one agent's workers stay away for good while jobs go on. */
async function storm(rig: Rig, plan: Plan, tell: (line: string) => void): Promise<readonly string[]> {
  const over = new AbortController();
  const raging = rage(rig, over.signal, tell);
  const until = Date.now() + (plan.minutes ?? 0) * 60_000;
  do await load(rig, plan.jobs, 250);
  while (Date.now() < until);
  over.abort();
  await raging;
  await rig.faults.quiet();
  tell('the storm is over; the sandboxes stay away');
  return withoutSandboxes(rig);
}

/** One fault after the other, some side by side, until the signal aborts. */
async function rage(rig: Rig, signal: AbortSignal, tell: (line: string) => void): Promise<void> {
  const going: Promise<unknown>[] = [];
  while (!signal.aborted) {
    const [name, fault] = nextFault(rig);
    tell(name);
    going.push(fault().catch((cause: unknown) => tell(`${name}: ${String(cause)}`)));
    await sleep(300 + rig.random.below(900), undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(going);
}

function nextFault({ random, faults }: Rig): readonly [string, () => Promise<unknown>] {
  const name = random.pick(
    faults.replicas.filter((one) => random.chance(0.7) || workers.includes(one.replace(/-\d$/, ''))),
  );
  const other = random.pick(faults.replicas.filter((one) => one !== name));
  const point = `${points[name.replace(/-\d$/, '')]?.[random.pick(boundaries)]}:${1 + random.below(4)}`;
  const draw = random.below(20);
  if (draw < 5) return [`kill ${name}`, () => faults.kill(name)];
  if (draw < 11) return [`crash ${point}`, () => faults.crash(name, [point], 6)];
  if (draw < 13) return [`kill ${name} and ${other}`, () => Promise.all([faults.kill(name), faults.kill(other)])];
  if (draw < 16) return [`pause ${name}`, () => faults.pause(name, 2_500 + random.below(4_000))];
  if (draw < 18) return [`deploy ${name}`, () => faults.deploy(name)];
  return draw === 18
    ? ['kill nats-server', () => faults.killStore('nats-server')]
    : ['kill postgres', () => faults.killStore('postgres')];
}

/** whoever was asked never answers, and the job ends all the same. */
async function withoutSandboxes(rig: Rig): Promise<readonly string[]> {
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
