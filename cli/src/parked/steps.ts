/** Steps whose attempts failed until none was left; their agents wait. */
import { parkedSteps, resolveStep, type ParkedStep, type Try } from '@loom/job';
import type { Address, Log, Redress } from '@loom/log';
import { Sweep } from '@loom/orchestrator';
import { LoomError } from '@loom/service';
import { dollars } from '../client/swarm.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { lineOf, times, type Thing } from './thing.ts';

/** Of open jobs, and of those in which an operator had a word. */
export async function stepsOn(log: Log): Promise<readonly Thing[]> {
  const spoken = await log.scan('operator', 'step.resolved');
  const jobs = new Map<string, Address>();
  for (const at of [...(await new Sweep(log).open()), ...spoken.found]) jobs.set(`${at.tenant}/${at.stream}`, at);
  const found: ParkedStep[] = [];
  for (const { tenant, stream } of jobs.values()) found.push(...(await parkedSteps(log, { tenant, stream })));
  return found.map((one) => thingOf(log, one));
}

function thingOf(log: Log, one: ParkedStep): Thing {
  const { key, at, state, since } = one;
  return {
    kind: 'step',
    key,
    at,
    consumer: 'agent-runner',
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
