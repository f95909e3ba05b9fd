import type { ParsedFact, RawItem } from '@loom/log';
import type { FactType } from '@loom/schemas';

/** A fact of one job with all that rules look at: parsed where it could be, its sum compared, the rolling hash up to it. */
export interface Entry {
  /** JetStream stream. */
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  /** Null when it could not be read; `problem` says why. */
  readonly fact: ParsedFact | null;
  readonly problem: string;
  readonly sumHolds: boolean;
  /** Rolling hash over the sums of all facts up to and with this one, hex. */
  readonly chain: string;
}

/** An entry that could be read. */
export type Known = Entry & { readonly fact: ParsedFact };

export const isKnown = (entry: Entry): entry is Known => entry.fact !== null;

/** What is broken, in words, or null. */
type Verdict = string | null;

export interface Break {
  readonly at: Entry;
  readonly message: string;
}

/** One rule at work on one job; owns what it has to remember. */
export interface Watch {
  /** Called for each fact in the order of the log. */
  readonly see: (entry: Known) => Verdict;
  /** Called once behind the last fact; `open` allows a job that has not ended. */
  readonly end?: (last: Entry, open: boolean) => Break | null;
}

/** What a rule has to know of the log that it is held against. */
export interface LogKind {
  readonly replicated: boolean;
}

/** A promise that every prefix of a job's facts keeps. */
export interface Rule {
  readonly name: string;
  /** Number of the invariant in the design. */
  readonly invariant: number;
  readonly promise: string;
  readonly watch: (log: LogKind) => Watch;
}

export type Ask = Extract<RawItem, { type: 'step.requested' | 'tool.requested' | 'run.requested' }>;
export type Outcome = Extract<RawItem, { type: 'step.settled' | 'tool.settled' }>;
export type End = Extract<RawItem, { type: 'job.completed' | 'job.failed' | 'job.refused' | 'job.cancelled' }>;

export const isAsk = (item: { readonly type: FactType }): item is Ask =>
  item.type === 'step.requested' || item.type === 'tool.requested' || item.type === 'run.requested';
export const isOutcome = (item: { readonly type: FactType }): item is Outcome =>
  item.type === 'step.settled' || item.type === 'tool.settled';
export const isEnd = (item: { readonly type: FactType }): item is End =>
  item.type === 'job.completed' ||
  item.type === 'job.failed' ||
  item.type === 'job.refused' ||
  item.type === 'job.cancelled';

/** A fenced decision: neither a dispatch nor a parked message. */
export const isDecision = ({ fact }: Known): boolean =>
  fact.source === 'orchestrator' && fact.decision === null && fact.type !== 'message.parked';

/** Slot that a request opens and an outcome closes, by what the body says: `step a1-3-1`, `tool a1-3-0-1`. */
export function slotOf({ type, body }: Ask | Outcome): string {
  const { agent, step, attempt } = body;
  if (type === 'step.requested' || type === 'step.settled') return `step ${agent}-${step}-${attempt}`;
  return `tool ${agent}-${step}-${body.call}-${attempt}`;
}

/** The first verdict that is none, over the items of a fact. */
export function firstOf<T>(items: readonly T[], look: (item: T) => Verdict): Verdict {
  let first: Verdict = null;
  for (const item of items) {
    const verdict = look(item);
    first ??= verdict;
  }
  return first;
}
