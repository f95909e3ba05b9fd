import type { Bodies, File } from '@loom/schemas';
import type { Address, Draft, Fact, Item } from '@loom/log';

/** One attempt at a model call: the slot `step.settled.<key>`. Times are Unix milliseconds of the server. */
export interface Attempt {
  readonly key: string;
  readonly agent: string;
  readonly step: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly reservedMicros: number;
  readonly requestedAt: number;
  readonly deadlineMs: number;
  /** The conversation holds facts up to this sequence. */
  readonly upto: number;
  readonly inputTokensMax: number;
  readonly maxTokens: number;
  readonly decision: number;
  sent: boolean;
  settled: Bodies['step.settled'] | null;
  settledAt: number;
  /** What an operator decided once it was parked; null until then. */
  resolved: Pick<Bodies['step.resolved'], 'outcome' | 'reason'> | null;
}

/** What a tool call came to, as the model is shown it. */
export interface CallResult {
  readonly text: string;
  readonly failed: boolean;
  readonly outcome: Bodies['tool.settled']['outcome'];
  readonly code: string;
}

/** One tool call of a completed step. `where` is null until the decider has placed it. */
export interface Call {
  readonly key: string;
  readonly agent: string;
  readonly step: number;
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly args: string;
  where: 'runner' | 'sandbox' | 'person' | 'agent' | null;
  epoch: number;
  requestedAt: number;
  deadlineMs: number;
  reservedMicros: number;
  decision: number;
  sent: boolean;
  /** The child agent of a delegation. */
  child: string | null;
  question: string | null;
  result: CallResult | null;
  files: readonly File[];
}

/** One round of an agent: the attempts at a step, and the calls of the one that completed. */
export interface Turn {
  readonly n: number;
  readonly attempts: Attempt[];
  reply: Bodies['step.settled'] | null;
  /** `upto` of the attempt that completed. */
  upto: number;
  readonly calls: Call[];
}

export interface Agent {
  readonly id: string;
  /** As it was spawned; in a fork with the model that it goes on with. */
  spawned: Bodies['agent.spawned'];
  readonly turns: Turn[];
  finished: Bodies['agent.finished'] | null;
  killRequested: boolean;
}

/** A message of a person; `inReplyTo` names the question (a call's key) that it answers. */
export interface Posted {
  readonly key: string;
  readonly seq: number;
  readonly time: number;
  readonly text: string;
  readonly inReplyTo: string | null;
}

export interface Artifact {
  readonly key: string;
  readonly seq: number;
  readonly time: number;
  readonly agent: string;
  readonly path: string;
  readonly mediaType: string;
  readonly size: number;
  readonly sha256: string;
  readonly object: string;
  readonly dataKey: Buffer;
}

export interface Money {
  cap: number;
  settled: number;
  reserved: number;
}

export type Ended = { readonly at: number; readonly seq: number } & (
  | { readonly type: 'job.completed'; readonly body: Bodies['job.completed'] }
  | { readonly type: 'job.failed'; readonly body: Bodies['job.failed'] }
  | { readonly type: 'job.refused'; readonly body: Bodies['job.refused'] }
  | { readonly type: 'job.cancelled'; readonly body: Bodies['job.cancelled'] }
);

type Outcome = Extract<Item, { type: 'step.settled' | 'tool.settled' }>;

/** One thing that came about in the parent after the fork point, at its place in the order in which the decider saw it. */
export type Recorded = { readonly seq: number } & (
  | { readonly kind: 'decision' }
  /** What a person or a timer did. */
  | { readonly kind: 'act'; readonly fact: Fact }
  /** `asked` is what a tool was given; null for a step, whose request is matched by its HMAC. */
  | {
      readonly kind: 'outcome';
      readonly slot: string;
      readonly settled: Outcome;
      readonly asked: Extract<Item, { type: 'tool.requested' | 'run.requested' }> | null;
    }
);

/** What a fork took over. The parent's facts have sequences below zero here, the fork point has -1. */
export interface Fork {
  readonly parent: string;
  /** Who submitted the parent. */
  readonly owner: string;
  readonly fromSeq: number;
  readonly mode: Bodies['job.forked']['mode'];
  /** The parent's key for HMACs of model requests. */
  readonly requestKey: Buffer;
  /** What the facts up to the fork point cost their own job, micro-USD. */
  readonly recordedMicros: number;
  /** Work and questions that were open at the fork point and are asked for again as they were; in a re-execution the decider asks anew. */
  readonly open: readonly Draft[];
  /** Terms that the parent was taken in under behind the fork point, for a playback from before. */
  readonly accepted: Bodies['job.accepted'] | null;
  /** What is still to be served again; empty in a re-execution. */
  readonly script: readonly Recorded[];
  /** How far it has come. */
  next: number;
  /** Whether a re-execution goes on under terms of its own. */
  resumed: boolean;
}

/**
 * All that the facts of one job say. A fold owns it and changes it in place (`evolve`); everybody else reads.
 * Money is integer micro-USD; maps keep the order of the log.
 */
export interface Job extends Address {
  /** Last sequence folded, its server time, and the last one under the orchestrator's source (the fence). */
  seq: number;
  time: number;
  orchestratorSeq: number;
  /** Rolling SHA-256 over the sums of all facts folded, hex. */
  chain: string;
  facts: number;
  submittedAt: number;
  submitted: Bodies['job.submitted'] | null;
  accepted: Bodies['job.accepted'] | null;
  fork: Fork | null;
  readonly money: Money;
  epoch: number;
  readonly agents: Map<string, Agent>;
  readonly attempts: Map<string, Attempt>;
  readonly calls: Map<string, Call>;
  /** Of the attempts, those without an outcome; of the calls, those that left files. Both in the order of the whole. */
  readonly unsettled: Map<string, Attempt>;
  filed: readonly Call[];
  readonly messages: Posted[];
  readonly artifacts: Map<string, Artifact>;
  readonly budgetAsks: { readonly key: string; readonly budgetMicros: number; answered: boolean }[];
  /** Cap that the step which did not fit needs, while the job waits for it. */
  exhausted: number | null;
  exhaustions: number;
  cancelRequested: boolean;
  killRequested: boolean;
  /** When the kill was asked for; workers get a grace period from here. */
  haltedAt: number;
  readonly fired: Set<string>;
  /** Time of the last fact that is no timer; the moment from which silence is counted; whether it went on for too long. */
  activeAt: number;
  silenceFrom: number;
  silent: boolean;
  ended: Ended | null;
}

/** The state before the first fact. */
export function emptyJob(at: Address): Job {
  return {
    tenant: at.tenant,
    stream: at.stream,
    seq: 0,
    time: 0,
    orchestratorSeq: 0,
    chain: '',
    facts: 0,
    submittedAt: 0,
    submitted: null,
    accepted: null,
    fork: null,
    money: { cap: 0, settled: 0, reserved: 0 },
    epoch: 0,
    agents: new Map(),
    attempts: new Map(),
    calls: new Map(),
    unsettled: new Map(),
    filed: [],
    messages: [],
    artifacts: new Map(),
    budgetAsks: [],
    exhausted: null,
    exhaustions: 0,
    cancelRequested: false,
    killRequested: false,
    haltedAt: 0,
    fired: new Set(),
    activeAt: 0,
    silenceFrom: 0,
    silent: false,
    ended: null,
  };
}

export const stepKey = (agent: string, step: number, attempt: number): string => `${agent}-${step}-${attempt}`;
export const callKeyOf = (agent: string, step: number, call: number): string => `${agent}-${step}-${call}-1`;

/** The turn that an agent is in, if it has begun. */
export const lastTurn = (agent: Agent): Turn | undefined => agent.turns.at(-1);

/** Slots that a worker still owes an outcome for. */
export const openAttempts = (job: Job): Attempt[] => [...job.unsettled.values()];

export function openCalls(job: Job): Call[] {
  const open: Call[] = [];
  for (const call of job.calls.values())
    if (call.result === null && (call.where === 'runner' || call.where === 'sandbox')) open.push(call);
  return open;
}

/** Those of all calls that left files. */
export const filedCalls = ({ calls }: Job): Call[] => [...calls.values()].filter(({ files }) => files.length > 0);
