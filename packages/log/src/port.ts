import type { FactType } from '@loom/schemas';
import type { Blobs } from '@loom/blobs';
import type { Keys, Vault } from '@loom/vault';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ScanCursor } from './scan.ts';
import type { Snapshots } from './snapshots.ts';
import type { Address, Appended, ClearFact, Draft, Fact, Fence, Head, ParsedFact, Replay, Source } from './types.ts';

/** Opens the call key that a `run.requested` brings (the sandbox has no other key). */
export type CallKeys = (sealedCallKey: Uint8Array, context: string, key: string) => Promise<Keys>;

export interface LogOptions {
  /** NATS address, e.g. nats://127.0.0.1:4222; several separated by commas. */
  readonly servers: string;
  readonly user: string;
  readonly password: string;
  /** Source that this process writes under unless told otherwise. */
  readonly source: Source;
  /** Opened on the log's own connection when given as a function. Without one only clear facts can be read, only content-free ones written. */
  readonly vault?: Vault | ((connection: NatsConnection) => Promise<Vault>);
  readonly blobs?: Blobs | ((connection: NatsConnection) => Promise<Blobs> | Blobs);
  /** Instead of a vault: keys of single calls. */
  readonly callKeys?: CallKeys;
  /** Event streams of this generation (S); default 4. */
  readonly streams?: number;
  /** How long an append is retried while the log does not answer, ms; default 30,000. */
  readonly patience?: number;
}

export interface AppendOptions {
  /** Whose slot it is: the orchestrator alone writes under others' (timer, lost slots). */
  readonly source?: Source;
  readonly traceparent?: string;
  /** Last sequence that the writer had folded. */
  readonly basis?: number;
  /** Sequence of the decision that this is derived from: any fact under the subject then counts as won. */
  readonly decision?: number;
  /** How the job runs when it is a fork: header `loom-replay`. */
  readonly replay?: Replay | undefined;
}

export interface DecideOptions {
  readonly traceparent?: string;
  /** Version of the decider: header `loom-decider`. */
  readonly decider?: string;
  /** As in `AppendOptions`. */
  readonly replay?: Replay | undefined;
}

export interface ReadOptions {
  /** Sequence to start behind; 0 from the beginning. */
  readonly after?: number;
  /** Last sequence wanted. */
  readonly upto?: number;
}

export interface ClearOptions extends ReadOptions {
  /** Facts of one kind alone. */
  readonly only?: { readonly source: Source; readonly type: FactType };
}

export interface TailOptions extends ReadOptions {
  /** This job alone. */
  readonly job?: string;
  /** Told of facts that cannot be read, which are then passed over; absent: they are thrown. */
  readonly onUnreadable?: (seq: number, cause: unknown) => void;
}

export interface FedOptions {
  /** Sequence to start behind. */
  readonly after: number;
  /** Sequence that is to be among what comes. */
  readonly atLeast: number;
}

export interface Delivery {
  /** Attempts of this process at this message, this one included. */
  readonly attempts: number;
  /** JetStream stream that it came from. */
  readonly stream: string;
}

export interface ConsumeOptions<F> {
  /** Row of the consumer table: the durable's name. */
  readonly service: string;
  readonly handle: (fact: F, delivery: Delivery) => Promise<void>;
  /** Messages in hand at once, over all streams. */
  readonly width: number;
  readonly signal: AbortSignal;
}

/** Content opened, or clear fields alone, or only what the headers say: for a service that folds the fact's job anyway. */
export type OpenConsumer = ConsumeOptions<Fact> & { readonly open: true };
export type ClearConsumer = ConsumeOptions<ClearFact> & { readonly open: false };
export type HeadConsumer = ConsumeOptions<Head & { readonly type: FactType }> & { readonly open: 'head' };

export interface BatchOptions {
  readonly service: string;
  /**
   * In order within `stream`; a failure hands the same facts over again. Everything up to `after` was handed over before: a reader that has
   * lost some of it throws `Behind`, and gets it first. 0 asks nothing; no facts ask nothing else.
   */
  readonly handle: (stream: string, facts: readonly ClearFact[], after: number) => Promise<void>;
  readonly size: number;
  /** From one batch to the next of a stream, ms, where little is waiting: what comes meanwhile is one batch. Not kept by default. */
  readonly pace?: number;
  readonly signal: AbortSignal;
}

/** What a hint names; the fact may not be readable yet, or may never be (a refused append is heard as well). */
export interface Hint extends Address {
  readonly source: Source;
  readonly type: FactType;
  readonly key: string;
}

export interface Timer {
  readonly kind: string;
  readonly key: string;
  /** Unix ms. */
  readonly dueMs: number;
}

export interface Log extends AsyncDisposable {
  readonly connection: NatsConnection;
  /** Names of the event streams. */
  readonly streams: readonly string[];
  /** Whether streams have replicas: a reader may be behind, and a dispatch may lie beside a decision that did not see it. */
  readonly replicated: boolean;
  /** Which life of a stream its sequences belong to: every cursor and checkpoint names it, a restore makes a new one. */
  incarnation(stream: string): string;
  /** States that a fold kept, to begin with instead of the first fact. */
  readonly snapshots: Snapshots;
  /** The server's time, Unix ms: what facts are dated by. Setting a clock of this machine does not move it. */
  now(): number;
  /** Unique under its own subject. @throws LoomError `log_unavailable` when the log did not answer for half a minute: whether it was stored is then unknown, and the same append may be repeated */
  append(to: Address, draft: Draft, options?: AppendOptions): Promise<Appended>;
  /** One atomic decision; null when another decider won. @throws LoomError `too_many_items`, `fact_too_large`, `log_unavailable` */
  decide(
    to: Address,
    drafts: readonly Draft[],
    fence: Fence,
    options?: DecideOptions,
  ): Promise<{ readonly seq: number } | null>;
  /** Publishes an item of `decision.made` at `seq` under its own subject, byte for byte. */
  dispatch(
    to: Address,
    decision: {
      readonly seq: number;
      readonly type: FactType;
      readonly key: string;
      readonly replay?: Replay | undefined;
    },
  ): Promise<Appended>;
  /** Opened, in order, sums verified. @throws LoomError `damaged` */
  read(at: Address, options?: ReadOptions): AsyncIterable<Fact>;
  /**
   * Opens a fact that was read as it lies, at once where all that it takes is in hand. That its sum holds is for who parsed it to see.
   * @throws LoomError `undecodable`, `bad_seal`, `key_destroyed`, `blob_missing`
   */
  open(fact: ParsedFact): Fact | Promise<Fact>;
  /**
   * As `read`, but from what this process's leased consumer was handed, where that is complete behind `after`; waits a moment
   * for `atLeast`. With `atLeast` 0 the server is asked.
   */
  readFed(at: Address, options: FedOptions): AsyncIterable<Fact>;
  /**
   * As `read`, but who asks for jobs of one stream at the same time shares a read of the stream, where most of it is theirs; `atLeast` says how far
   * it is known to go. With `atLeast` 0 the job alone is read.
   */
  readShared(at: Address, options: FedOptions): AsyncIterable<Fact>;
  readClear(at: Address, options?: ClearOptions): AsyncIterable<ClearFact>;
  /** One JetStream stream in order, or one job of it: clear fields only. */
  tail(stream: string, options?: TailOptions): AsyncIterable<ClearFact>;
  /** The fact under one subject, or null. */
  get(at: Address, source: Source, type: FactType, key: string): Promise<Fact | null>;
  getClear(at: Address, source: Source, type: FactType, key: string): Promise<ClearFact | null>;
  /** The last fact of a kind at an address, whatever its key, or null. */
  getLastClear(at: Address, source: Source, type: FactType): Promise<ClearFact | null>;
  /** Until the signal aborts and what is in hand is done. Parks what cannot be handled; acks after `handle` resolves. */
  consume(options: OpenConsumer | ClearConsumer | HeadConsumer): Promise<void>;
  /** For projections: in order per stream, by one replica at a time. */
  consumeBatches(options: BatchOptions): Promise<void>;
  /** Facts of a kind in all streams, behind a cursor: for sweeps. Heads only. */
  scan(
    source: Source,
    type: FactType,
    cursor?: ScanCursor,
  ): Promise<{ readonly found: readonly Head[]; readonly cursor: ScanCursor }>;
  /** A hint only. Returns the function that ends it. */
  watch(handler: (hint: Hint) => void): () => void;
  /** Tells whoever watches what a model is saying; nobody keeps it. */
  live(tenant: string, job: string, agent: string): (delta: string) => void;
  onLive(tenant: string, job: string, handler: (agent: string, delta: string) => void): () => void;
  /** Idempotent: arming again replaces. A due time in the past fires at once. */
  armTimer(at: Address, timer: Timer): Promise<void>;
  /** Until the signal aborts; a timer whose `handle` throws comes again. */
  consumeTimers(handle: (at: Address, timer: Timer) => Promise<void>, signal: AbortSignal): Promise<void>;
}
