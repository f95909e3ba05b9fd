/** Steps whose attempts failed until none was left; their agents wait. */
import { parkedSteps, resolveStep, type ParkedStep, type Try } from '@loom/job';
import type { Address, Log, Redress } from '@loom/log';
import { Sweep } from '@loom/orchestrator';
import { inLanes, LoomError } from '@loom/service';
import { dollars } from '../client/swarm.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { lineOf, times, type Past, type Thing } from './thing.ts';

/** The service that fails at steps. */
const consumer = 'agent-runner';
/** Jobs that are read at once. */
const readAtOnce = 8;
/** More jobs than are read within a second: their progress is shown. */
const many = 100;

/** Of open jobs; with `all` also of those that ended and in which an operator had a word, which are `past` without it. */
export async function stepsOn(
  log: Log,
  all: boolean,
  out: Output,
): Promise<{ readonly things: readonly Thing[]; readonly past: readonly Past[] }> {
  const open = await new Sweep(log).open();
  const names = new Set(open.map(({ stream }) => stream));
  const { found } = await log.scan('operator', 'step.resolved');
  const spoken = found.filter(({ stream }) => !names.has(stream));
  const ended = all ? new Map(spoken.map((at) => [at.stream, at])).values() : [];
  const steps = await stepsIn(log, [...open, ...ended], out);
  const past = all ? [] : spoken.map((at) => ({ kind: 'step', at, consumer }) as const);
  return { things: steps.map((one) => thingOf(log, one)), past };
}

async function stepsIn(log: Log, jobs: readonly Address[], out: Output): Promise<readonly ParkedStep[]> {
  const task = jobs.length > many ? out.task(`${jobs.length} jobs`) : null;
  let read = 0;
  const found = await inLanes(readAtOnce, jobs, async ({ tenant, stream }) => {
    const steps = await parkedSteps(log, { tenant, stream });
    task?.at(++read / jobs.length);
    return steps;
  });
  task?.done();
  return found.flat();
}

/** The step that is or was parked under a key, which begins with its job. */
export async function stepOf(log: Log, key: string): Promise<Thing | undefined> {
  const [job] = key.split('/', 1);
  const { found } = key.includes('/') ? await log.scan('gateway', 'job.submitted') : { found: [] };
  const at = found.find(({ stream }) => stream === job);
  const steps = at === undefined ? [] : await parkedSteps(log, { tenant: at.tenant, stream: at.stream });
  return steps.filter((one) => one.key === key).map((one) => thingOf(log, one))[0];
}

function thingOf(log: Log, one: ParkedStep): Thing {
  const { key, at, state, since } = one;
  return {
    kind: 'step',
    key,
    at,
    consumer,
    state,
    since,
    record: { kind: 'step', ...one },
    line: lineOf(one, since, whyOf(one), one.note),
    show: (out) => Promise.resolve(tell(one, out)),
    redrive: (act) => decide(log, one, 'redriven', act),
    drop: (act) => decide(log, one, 'dropped', act),
  };
}

const whyOf = ({ state, reason, attempts, until }: ParkedStep): string =>
  `${reason}, ${times(attempts)}${state === 'parked' ? `, until ${new Date(until).toISOString()}` : ''}`;

function tell(one: ParkedStep, out: Output): void {
  out.record({ kind: 'step', ...one });
  for (const tried of one.tries) out.print(`  ${lineOfTry(tried)}`);
  if (one.state !== 'parked') return;
  out.print(`  ${one.agent} waits until ${new Date(one.until).toISOString()}, then it fails`);
}

function lineOfTry({ attempt, at, outcome, code, provider, model, latency_ms, cost_micros, request }: Try): string {
  const by = [provider, model, request ?? ''].filter(Boolean).join(' ');
  return `attempt ${attempt} at ${new Date(at).toISOString()}: ${outcome} ${code}, ${by}, ${latency_ms} ms, ${dollars(cost_micros)}`;
}

const decide = (log: Log, one: ParkedStep, outcome: 'redriven' | 'dropped', act: Redress): Promise<number> =>
  resolveStep(log, one, outcome, act).catch((cause: unknown) => {
    if (LoomError.from(cause).code !== 'step_resolved') throw cause;
    throw new Failure(1, `${one.key} was ${one.state}${one.note && `: ${one.note}`}`, [
      'one word a failure, the first',
    ]);
  });
