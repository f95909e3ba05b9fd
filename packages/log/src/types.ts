import type { Bodies, ClearBodies, FactType, Wire } from '@loom/schemas';

/** Who may write: the source token of a subject, and the NATS user that owns it. */
export type Source =
  | 'gateway'
  | 'orchestrator'
  | 'agent-runner'
  | 'sandbox'
  | 'timer'
  | 'billing'
  | 'evals'
  | 'audit'
  | 'retention'
  | 'operator';

/** How the facts of a fork come about: recorded results served again, or work done anew. */
export type Replay = 'playback' | 're-execute';

/** Where a fact lives: a job's stream, or a tenant's `account`, or the operator's `system` (tenant `_`). */
export interface Address {
  readonly tenant: string;
  readonly stream: string;
}

/** What a fact says beside its body. `seq` and `time` (Unix ms) are the server's. */
export interface Head extends Address {
  readonly seq: number;
  readonly time: number;
  readonly source: Source;
  readonly key: string;
  /** `ce-id`: the same act has the same id. */
  readonly id: string;
  /** `ce-source`: who wrote it; differs from `source` only where the orchestrator settles a lost slot. */
  readonly writer: string;
  /** `loom-basis`: last sequence that the writer had folded; 0 when it had folded nothing. */
  readonly basis: number;
  /** `loom-decision`: sequence of the decision that this dispatch was derived from, else null. */
  readonly decision: number | null;
  /** `loom-sum`, hex. */
  readonly sum: string;
  readonly traceparent: string;
  /** `loom-replay`: absent outside of forks. */
  readonly replay?: Replay;
}

/** One thing that a fact says. Everybody counts items, never facts, so that nothing counts twice. */
export type ItemOf<B> = {
  [T in FactType]: {
    readonly type: T;
    readonly key: string;
    /** `<seq>.<index>` */ readonly id: string;
    readonly body: B extends 'clear' ? ClearBodies[T] : Bodies[T];
  };
}[FactType];

export type Item = ItemOf<'open'>;
export type ClearItem = ItemOf<'clear'>;

/** A fact of the log with its content opened. `items` is empty for a dispatch, the carried items for `decision.made`, else the fact itself. */
export interface Fact extends Head {
  readonly type: FactType;
  readonly items: readonly Item[];
  /** What the fact's own body says; for a dispatch the only way to it. To act on, never to count. Null for `decision.made`. */
  readonly said: Item | null;
}

/** A fact as a service without keys sees it: clear fields only. */
export interface ClearFact extends Head {
  readonly type: FactType;
  readonly items: readonly ClearItem[];
  readonly said: ClearItem | null;
  /** Of a redrive, where the reader is its consumer: the fact that it could not take and is to take at this place. */
  readonly redriven?: ClearFact;
}

/** An item with the very bytes that lie in the log, and all that they hold: sealed fields are sealed. */
export type RawItem = ClearItem & { readonly bytes: Uint8Array; readonly wire: Wire };

/** What a raw fact says: `items` are counted, `said` is a fact's own body (null for `decision.made`). */
export interface ParsedFact extends Head {
  readonly type: FactType;
  readonly items: readonly RawItem[];
  readonly said: RawItem | null;
  /** Headers `loom-chain`, `loom-decider`, `ce-type`, `ce-subject`; empty where there is none. */
  readonly chain: string;
  readonly decider: string;
  readonly ceType: string;
  readonly ceSubject: string;
}

/** A fact to be written. */
export type Draft = { [T in FactType]: { readonly type: T; readonly key: string; readonly body: Bodies[T] } }[FactType];

/** `won` is false when another fact holds the subject; `seq` is then that fact's. A retried append of the same act has `won: true`. */
export interface Appended {
  readonly seq: number;
  readonly won: boolean;
}

/** What a fenced decision stands on; all three come from the very fold that made it. */
export interface Fence {
  /** Last sequence folded: `loom-basis`. */
  readonly seq: number;
  /** Last sequence under the orchestrator's own source of this job: the expected sequence of the filter. */
  readonly orchestratorSeq: number;
  /** Rolling hash of the job's facts up to `seq`, hex: `loom-chain`. */
  readonly chain: string;
}
