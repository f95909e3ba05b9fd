/**
 * Trials of control builds: a small storm, with few processes and the shortest clocks, that goes on until something is found.
 * Owns no rule of its own: what finds a control is the checker, a client who is refused, or a job that stands still.
 * T1  Loom itself goes through the same trial, once with sweeps and once without, and nothing is found.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from './controls.ts';
import { submit, unended, withoutSandboxes } from './load.ts';
import { openLog } from './logs.ts';
import { rage, type Deck } from './rage.ts';
import { startRig, sweeps, type Rig, type RigOptions } from './rig.ts';
import { check, checkRunning, wordsOf } from './verdict.ts';
import { Waits } from './waits.ts';

export interface Trial {
  /** Ms from the first job to the first finding; of Loom itself, to the end. */
  readonly took: number;
  readonly jobs: number;
  readonly facts: number;
  readonly faults: Readonly<Record<string, number>>;
  /** The first that were found, in words. */
  readonly findings: readonly string[];
}

/** An orchestrator that starts sweeps once: without sweeps few of them start. */
const few: Deck = { kill: 1, pair: 0, crash: 0, pause: 0, deploy: 0, nats: 0, postgres: 0 };
const some: Deck = { ...few, kill: 2, pair: 1, crash: 1 };

/** Nothing is silent for longer while a job is open and nobody waits for a processor: deadlines are 3 s, leases 2 s, an unacked message comes after 1 s. */
const silentFor = 15_000;

/** Found by jobs that stand still, which no sweep may wake: their trial begins without. */
const hanging: readonly Control[] = ['seen-trigger', 'lost-slots'];

const small: Omit<RigOptions, 'seed'> = {
  sandbox: false,
  shortLeases: true,
  replicas: { billing: 0, audit: 0, retention: 0, evals: 0, gateway: 1, sandbox: 1 },
  stale: 0.25,
  mishaps: 0.15,
};
const settings = { LOOM_STEP_DEADLINE_MS: '3000', LOOM_TOOL_DEADLINE_MS: '3000', LOOM_STREAMS: '2' };

/** `control` null: Loom as it is. */
export async function trial(control: Control | null, seed: number, seconds = 90): Promise<Trial> {
  const sweeping = control === null || !hanging.includes(control);
  const env = { ...settings, ...(sweeping ? sweeps.often : sweeps.seldom) };
  await using rig = await startRig({ ...small, seed, env, ...(control === null ? {} : { control }) });
  const began = Date.now();
  const over = new AbortController();
  const rounds = control === null ? 2 : Infinity;
  const until = began + seconds * 1000;
  const watching = watch(rig, over.signal);
  const dealing = deal(rig, { rounds, until, sweeping, signal: over.signal });
  const findings = await Promise.race([watching, dealing]);
  const took = Date.now() - began;
  over.abort();
  await Promise.allSettled([watching, dealing]);
  await rig.faults.quiet();
  const { facts } = await checkRunning(rig);
  return { took, jobs: rig.jobs.size, facts, faults: rig.faults.counts(), findings };
}

interface Dealt {
  readonly rounds: number;
  readonly until: number;
  readonly sweeping: boolean;
  readonly signal: AbortSignal;
}

/** Rounds with and without sweeps in turn; each ends with its jobs. */
async function deal(rig: Rig, { rounds, until, sweeping, signal }: Dealt): Promise<readonly string[]> {
  const going = (): boolean => !signal.aborted && Date.now() < until;
  for (let round = 0; round < rounds && going(); round += 1) {
    const swept = sweeping === (round % 2 === 0);
    if (round > 0) await rig.faults.configure('orchestrator', swept ? sweeps.often : sweeps.seldom);
    const alone = swept ? Promise.resolve([]) : withoutSandboxes(rig, 40, signal);
    await Promise.all([jobs(rig, 5, signal), rage(rig, swept ? some : few, { tell: () => undefined, signal }), alone]);
    const open = [...(await alone), ...(await unended(rig, rig.jobs, 30, signal)), ...refusals(rig)];
    if (open.length > 0 && !signal.aborted) return open;
  }
  return signal.aborted ? [] : wordsOf(await check(rig));
}

async function jobs(rig: Rig, count: number, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < count && !signal.aborted; at += 1) {
    await submit(rig, 1 + rig.random.below(3), rig.random.chance(0.4));
    await sleep(300);
  }
}

const refusals = ({ door }: Rig): readonly string[] =>
  door.refused.map(({ method, path, status, code }) => `${method} ${path} was refused: ${status} ${code}`);

/** Looks at the whole log again and again until there is something; never resolves with nothing unless the signal aborts. */
async function watch(rig: Rig, signal: AbortSignal): Promise<readonly string[]> {
  const waits = new Waits(() => Object.values(rig.stack.state().pids));
  while (!signal.aborted) {
    await sleep(700);
    await waits.look();
    const found = [...wordsOf(await checkRunning(rig)), ...(await standing(rig, waits))];
    if (found.length > 0) return found;
  }
  return [];
}

/** Open jobs of which nothing is heard any more. */
async function standing(rig: Rig, waits: Waits): Promise<readonly string[]> {
  await using log = await openLog(rig);
  const last = new Map<string, number>();
  for (const stream of log.streams)
    for await (const { stream: job, time, items } of log.tail(stream)) {
      const ended = items.some(({ type }) => /^job\.(completed|failed|cancelled|refused)$/.test(type));
      if (ended || last.get(job) === Infinity) last.set(job, Infinity);
      else if (job.startsWith('job_')) last.set(job, time);
    }
  const silent = [...last].filter(([, time]) => waits.since(time) > silentFor);
  return silent.map(([job, time]) => `ends: ${job} stands still since ${new Date(time).toISOString()}`);
}
