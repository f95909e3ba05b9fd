/** Parked steps as the clear facts of a job tell of them: nothing is opened to see what waits for an operator, or to act on it. */
import type { Address, ClearFact, ClearItem, Log, Redress } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { isParking, mayPass, parkingTimer } from './domain/parked.ts';
import { isEnd } from './domain/status.ts';

/** One attempt at a step that failed. */
export interface Try {
  readonly attempt: number;
  /** Unix ms. */
  readonly at: number;
  readonly outcome: string;
  readonly code: string;
  readonly provider: string;
  readonly model: string;
  readonly latency_ms: number;
  readonly cost_micros: number;
  /** The provider's name for it, to ask there. */
  readonly request: string | null;
}

/** A step that ran out of tries, and what an operator made of it. */
export interface ParkedStep {
  /** `<job>/<agent>-<step>-<attempt>`: one a failure that nothing followed by itself. */
  readonly key: string;
  readonly at: Address;
  readonly agent: string;
  readonly step: number;
  /** Attempts so far. */
  readonly attempts: number;
  readonly state: 'parked' | 'redriven' | 'dropped';
  /** Code of the last failure. */
  readonly reason: string;
  readonly tries: readonly Try[];
  /** Unix ms: when it was parked, and when its agent fails if nobody comes. */
  readonly since: number;
  readonly until: number;
  /** What the operator gave as the reason. */
  readonly note: string;
}

type Settled = Extract<ClearItem, { type: 'step.settled' }>['body'];
type Limits = Bodies['job.accepted']['limits'];

/** Every step of a job that waits for an operator, or about which one decided, in the order of the log. */
export async function parkedSteps(log: Pick<Log, 'readClear'>, at: Address): Promise<readonly ParkedStep[]> {
  if (!(await mayHave(log, at))) return [];
  const shelf = new Shelf(at);
  for await (const fact of log.readClear(at)) for (const item of fact.items) shelf.see(item, fact);
  return shelf.steps();
}

/** Whether any attempt failed in a way that may pass: of a job without, which most are, nothing else is read. */
async function mayHave(log: Pick<Log, 'readClear'>, at: Address): Promise<boolean> {
  const only = { source: 'agent-runner', type: 'step.settled' } as const;
  for await (const { said } of log.readClear(at, { only }))
    if (said?.type === 'step.settled' && mayPass({ settled: said.body })) return true;
  return false;
}

/** Folds the clear facts of one job. */
class Shelf {
  readonly #at: Address;
  readonly #steps = new Map<string, ParkedStep>();
  readonly #tries = new Map<string, Try[]>();
  #limits: Limits | null = null;

  constructor(at: Address) {
    this.#at = at;
  }

  steps(): readonly ParkedStep[] {
    return [...this.#steps.values()];
  }

  see(item: ClearItem, fact: ClearFact): void {
    if (item.type === 'job.accepted') this.#limits = item.body.limits;
    if (item.type === 'step.settled') this.#settle(item.key, item.body, fact.time);
    if (item.type === 'step.resolved') this.#resolve(item.key, item.body);
    if (item.type === 'timer.fired') this.#letGo(({ key }) => item.key === parkingTimer(slotOf(key)));
    if (item.type === 'agent.finished') this.#letGo(({ agent }) => agent === item.body.agent);
    if (isEnd(item)) this.#letGo(() => true);
  }

  #settle(key: string, settled: Settled, time: number): void {
    const { agent, step, attempt, code: reason } = settled;
    const place = `${agent}-${step}`;
    const tries = [...(this.#tries.get(place) ?? []), tryOf(settled, time)];
    this.#tries.set(place, tries);
    if (this.#limits === null || !isParking({ attempt, settled }, this.#limits)) return;
    const when = { since: time, until: time + this.#limits.parked_ms };
    const what = { agent, step, attempts: attempt, state: 'parked', reason, tries, note: '' } as const;
    this.#steps.set(key, { key: `${this.#at.stream}/${key}`, at: this.#at, ...what, ...when });
  }

  #resolve(key: string, { outcome, reason }: Bodies['step.resolved']): void {
    const step = this.#steps.get(key);
    if (step?.state === 'parked') this.#steps.set(key, { ...step, state: outcome, note: reason });
  }

  /** What nobody decided about is not parked any more. */
  #letGo(which: (step: ParkedStep) => boolean): void {
    for (const [key, step] of this.#steps) if (step.state === 'parked' && which(step)) this.#steps.delete(key);
  }
}

const slotOf = (key: string): string => key.slice(key.indexOf('/') + 1);

const tryOf = (settled: Settled, at: number): Try => {
  const { attempt, outcome, code, provider, model, latency_ms, cost_micros, provider_request_id: request } = settled;
  return { attempt, at, outcome, code, provider, model, latency_ms, cost_micros, request };
};

/**
 * Has a parked step tried once more, or gives it up. One word a failure: the same again changes nothing, and says where the first lies.
 * @throws LoomError `step_resolved` when it was decided otherwise before
 */
export async function resolveStep(
  log: Pick<Log, 'append' | 'getClear'>,
  parked: ParkedStep,
  outcome: Bodies['step.resolved']['outcome'],
  act: Redress,
): Promise<number> {
  const { at, agent, step, attempts: attempt } = parked;
  const key = slotOf(parked.key);
  const body = { agent, step, attempt, outcome, ...act };
  const { seq, won } = await log.append(at, { type: 'step.resolved', key, body });
  const first = won ? null : await log.getClear(at, 'operator', 'step.resolved', key);
  if (first?.said?.type === 'step.resolved' && first.said.body.outcome !== outcome)
    throw new LoomError('step_resolved', `${parked.key} was ${first.said.body.outcome}`);
  return seq;
}
