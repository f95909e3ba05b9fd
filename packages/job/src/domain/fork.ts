/**
 * How a fork takes over its parent (design, section 3).
 * F1  The parent's facts up to the fork point are folded as they were; all of them then sort before the fork's own.
 * F2  What nobody had settled at the fork point is open no more: it is asked for again, by the fork, under its own facts. A re-execution asks by its
 *     own clock: no deadline or silence that its parent let go by is held against it.
 * F3  A playback begins at the last state that the parent's decider had folded, and goes on in the order in which that decider saw things:
 *     each decision stands on what it stood on, so it comes out the same.
 */
import type { Draft, Fact, Item, Replay } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { parkedAttempt, parkingTimer } from './parked.ts';
import {
  emptyJob,
  filedCalls,
  openAttempts,
  openCalls,
  type Agent,
  type Fork,
  type Job,
  type Recorded,
} from './state.ts';
import { isEnd } from './status.ts';

type Forked = Bodies['job.forked'];

const isDecision = ({ source, decision, type }: Fact): boolean =>
  source === 'orchestrator' && decision === null && type !== 'message.parked';

/** The last of the parent's facts that is folded: never its end, which the fork comes to by itself. */
export function cutOf(facts: readonly Fact[], { from_seq, mode }: Pick<Forked, 'from_seq' | 'mode'>): number {
  const end = facts.find((fact) => isDecision(fact) && fact.items.some(isEnd));
  const last = end === undefined ? from_seq : Math.min(from_seq, end.seq - 1);
  if (mode === 'reexecute') return last;
  const ahead = facts.find((fact) => isDecision(fact) && fact.seq > last);
  return Math.min(last, ahead?.basis ?? last);
}

/** Takes the parent over into a job that knows only its own submission (F1). */
export function adopt(job: Job, body: Forked, facts: readonly Fact[], fold: (past: Job, fact: Fact) => void): void {
  const cut = cutOf(facts, body);
  const past = emptyJob(job);
  for (const fact of facts) if (fact.seq <= cut) fold(past, fact);
  past.money.settled = body.mode === 'playback' ? past.money.settled : 0;
  const before = facts.filter(({ seq }) => seq <= cut);
  const after = body.mode === 'playback' ? facts.filter(({ seq }) => seq > cut) : [];
  const owner = past.submitted?.owner ?? '';
  job.fork = {
    ...forkOf(body, after, before),
    owner,
    open: body.mode === 'playback' ? openedAgain(past, before, body) : [],
  };
  unask(past, body.mode);
  shift(past, body.from_seq + 1);
  take(job, past, body.mode);
}

function forkOf(body: Forked, after: readonly Fact[], before: readonly Fact[]): Omit<Fork, 'owner' | 'open'> {
  const items = after.flatMap((fact) => fact.items);
  return {
    parent: body.parent,
    fromSeq: body.from_seq,
    mode: body.mode,
    requestKey: body.request_key,
    recordedMicros: body.recorded_micros,
    accepted: items.find((item) => item.type === 'job.accepted')?.body ?? null,
    script: scriptOf(after, [...before.flatMap((fact) => fact.items), ...items]),
    next: 0,
    resumed: false,
  };
}

/** What happened, decisions right behind what they stand on (F3). Claims, lost calls and dispatches say nothing to the state. */
function scriptOf(after: readonly Fact[], items: readonly Item[]): readonly Recorded[] {
  const asks = new Map(items.flatMap((item) => (isToolAsk(item) ? [[item.key, item] as const] : [])));
  const place = (fact: Fact): number => (isDecision(fact) ? fact.basis + 0.5 : fact.seq);
  return after.toSorted((a, b) => place(a) - place(b)).flatMap((fact) => recordedOf(fact, asks));
}

type ToolAsk = Extract<Item, { type: 'tool.requested' | 'run.requested' }>;
const isToolAsk = (item: Item): item is ToolAsk => item.type === 'tool.requested' || item.type === 'run.requested';

const acts: ReadonlySet<string> = new Set([
  'message.posted',
  'job.cancel-requested',
  'job.kill-requested',
  'job.budget-requested',
  'timer.fired',
  'step.resolved',
]);

function recordedOf(fact: Fact, asks: ReadonlyMap<string, ToolAsk>): readonly Recorded[] {
  const { seq } = fact;
  if (isDecision(fact)) return [{ seq, kind: 'decision' }];
  if (acts.has(fact.type)) return [{ seq, kind: 'act', fact }];
  return fact.items.flatMap((item) =>
    item.type === 'step.settled' || item.type === 'tool.settled'
      ? [{ seq, kind: 'outcome', slot: item.key, settled: item, asked: asks.get(item.key) ?? null }]
      : [],
  );
}

/** The requests of all that is open, as they were made; their conversations end where they ended. */
function openedAgain(past: Job, before: readonly Fact[], { from_seq }: Forked): readonly Draft[] {
  const open = new Set([...openAttempts(past), ...openCalls(past), ...openAsks(past)].map(({ key }) => key));
  const asked = new Map<string, Draft>();
  for (const item of before.flatMap(({ items }) => items)) {
    if (!open.has(item.key)) continue;
    if (item.type === 'step.requested')
      asked.set(item.key, { ...item, body: { ...item.body, upto: item.body.upto - from_seq - 1 } });
    if (item.type === 'run.requested')
      asked.set(item.key, { ...item, body: { ...item.body, call_key: Buffer.alloc(0) } });
    if (item.type === 'tool.requested' || item.type === 'input.requested') asked.set(item.key, item);
  }
  return [...asked.values()].map(({ type, key, body }) => ({ type, key, body }) as Draft);
}

const openAsks = (job: Job) => [...job.calls.values()].filter((call) => call.where === 'person' && !call.result);

/** Takes back what nobody settled (F2). */
function unask(past: Job, mode: Forked['mode']): void {
  if (mode === 'reexecute') stopClocks(past);
  for (const { key, agent, step } of openAttempts(past)) {
    past.attempts.delete(key);
    past.unsettled.delete(key);
    const turns = past.agents.get(agent)?.turns ?? [];
    const at = turns.findIndex(({ n }) => n === step);
    turns[at]?.attempts.pop();
    if (turns[at]?.attempts.length === 0) turns.splice(at, 1);
  }
  for (const call of [...openCalls(past), ...openAsks(past)])
    Object.assign(call, { where: null, question: null, requestedAt: 0, reservedMicros: 0, decision: 0, sent: false });
  past.money.reserved = 0;
}

function stopClocks(past: Job): void {
  for (const { key } of openAttempts(past)) past.fired.delete(`step-${key}`);
  for (const { key } of openCalls(past)) past.fired.delete(`tool-${key}`);
  for (const { key } of past.attempts.values()) past.fired.delete(parkingTimer(key));
  past.silent = false;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Moves all sequences of a state that nobody else holds below those that are to come. */
function shift(past: Job, by: number): void {
  for (const posted of past.messages as Writable<Job['messages'][number]>[]) posted.seq -= by;
  for (const artifact of past.artifacts.values()) (artifact as Writable<typeof artifact>).seq -= by;
  for (const attempt of past.attempts.values()) (attempt as Writable<typeof attempt>).upto -= by;
  for (const { turns } of past.agents.values()) for (const turn of turns) turn.upto -= by;
}

/** The state of the parent under the fork's own submission. A re-execution owes no answer about the parent's cap. */
function take(job: Job, past: Job, mode: Forked['mode']): void {
  const own = job.submitted;
  if (own && past.submitted) job.submitted = under(own, past.submitted);
  job.accepted = past.accepted;
  Object.assign(job.money, past.money);
  job.epoch = past.epoch;
  for (const name of ['agents', 'attempts', 'calls', 'artifacts'] as const)
    for (const [key, value] of past[name]) (job[name] as Map<string, unknown>).set(key, value);
  job.filed = filedCalls(job);
  job.messages.unshift(...past.messages);
  job.budgetAsks.unshift(...past.budgetAsks.map((ask) => ({ ...ask, answered: ask.answered || mode === 'reexecute' })));
  job.exhausted = mode === 'playback' ? past.exhausted : null;
  job.exhaustions = past.exhaustions;
  job.cancelRequested ||= past.cancelRequested;
  job.killRequested ||= past.killRequested;
  job.haltedAt ||= past.haltedAt;
  for (const timer of past.fired) job.fired.add(timer);
  job.silent = past.silent;
}

const under = (own: Bodies['job.submitted'], past: Bodies['job.submitted']): Bodies['job.submitted'] => ({
  ...own,
  attachments: past.attachments,
  metadata: past.metadata,
  follows: past.follows,
  budget_micros: own.budget_micros ?? past.budget_micros,
  models: { ...past.models, ...own.models },
  tightened: leastOf(past.tightened, own.tightened),
});

type Limits = Bodies['job.submitted']['tightened'];

/** What a fork had tightened stays so in its own forks. */
const leastOf = (past: Limits, own: Limits): Limits =>
  Object.fromEntries(
    Object.entries({ ...past, ...own }).map(([name, most]) => [name, Math.min(most, past[name] ?? most)]),
  );

/** A re-execution goes on with models of its own, and tries once more what was parked. */
export function goOn(job: Job, agent: Agent, models: Bodies['job.accepted']['models']): void {
  agent.spawned = { ...agent.spawned, model: models[agent.spawned.kind] };
  const parked = parkedAttempt(job, agent);
  if (parked) parked.resolved = { outcome: 'redriven', reason: '' };
}

/** The record moves on to behind the fact at `seq`; answers the act that is taken as said there. */
export function servedAct({ fork, silenceFrom }: Job, seq: number): Fact | null {
  const at = fork?.script.findIndex((recorded) => recorded.seq === seq) ?? -1;
  const recorded = fork?.script[at];
  if (!fork || !recorded || at < fork.next) return null;
  fork.next = at + 1;
  return recorded.kind === 'act' ? onOwnClock(recorded.fact, silenceFrom) : null;
}

/** Timers of silence are named by the clock of their job. */
function onOwnClock(fact: Fact, silenceFrom: number): Fact {
  if (!fact.key.startsWith('silence-')) return fact;
  const key = `silence-${silenceFrom}`;
  return { ...fact, key, items: fact.items.map((item) => ({ ...item, key })) };
}

/** Outcomes that are there are served. */
export function advance(job: Job, fork: Fork): void {
  for (
    let next = fork.script[fork.next];
    next?.kind === 'outcome' && isSettled(job, next.slot);
    next = fork.script[fork.next]
  )
    fork.next += 1;
}

const isSettled = (job: Job, slot: string): boolean =>
  (job.attempts.get(slot)?.settled ?? job.calls.get(slot)?.result ?? null) !== null;

/** What a playback is to serve next; null when its record is at its end, undefined where nothing is played back. */
export function nextRecorded({ fork }: Job): Recorded | null | undefined {
  return fork?.mode === 'playback' ? (fork.script[fork.next] ?? null) : undefined;
}

/** Whether recorded facts are still being served: no clock of the fork's own counts until then. */
export const playsBack = (job: Job): boolean => (nextRecorded(job) ?? null) !== null;

/** The recorded outcome of a slot, and what was asked of it. */
export function recordedOutcome({ fork }: Job, slot: string): Extract<Recorded, { kind: 'outcome' }> | null {
  const here = fork?.script[fork.next];
  if (here?.kind === 'outcome' && here.slot === slot) return here;
  const found = fork?.script.find((recorded) => recorded.kind === 'outcome' && recorded.slot === slot);
  return found?.kind === 'outcome' ? found : null;
}

/** What every fact of a fork carries in `loom-replay`; undefined for a job that is none. */
export function replayOf({ submitted }: Pick<Job, 'submitted'>): Replay | undefined {
  if (!submitted || submitted.mode === null) return undefined;
  return submitted.mode === 'playback' ? 'playback' : 're-execute';
}
