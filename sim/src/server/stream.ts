/**
 * One stream in memory, with what Loom uses of JetStream: expected last sequences by subject or filter, replicas, age.
 * S1  An expectation is held against what is stored; with replicas also against what is on its way under the very same filter string,
 *     which is answered by "in flight". Two spellings, or a filter and a subject below it, do not see each other on the way.
 * S2  What is on its way is stored in the order in which it came.
 * S3  A message older than `maxAge` is not there any more.
 */
import { matcher } from './subjects.ts';

export interface Message {
  readonly subject: string;
  readonly pairs: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** A message as it lies in a stream. */
export interface Held extends Message {
  readonly seq: number;
  /** Unix ms. */
  readonly time: number;
}

export interface StreamOptions {
  readonly name: string;
  readonly replicated: boolean;
  /** Ms. */
  readonly maxAge?: number;
}

/** `slipped`: facts that came in between the check and the storing of an expectation by filter (S1). */
export type Stored = { readonly held: Held; readonly slipped: readonly Held[] };
export type Refusal = 'wrong_last' | 'in_flight';

interface Expectation {
  readonly seq: number;
  readonly filter: string;
}

export class Stream {
  readonly name: string;
  readonly replicated: boolean;
  readonly messages: Held[] = [];
  readonly #maxAge: number;
  readonly #inFlight = new Set<string>();
  #lastSeq = 0;

  constructor({ name, replicated, maxAge = Infinity }: StreamOptions) {
    this.name = name;
    this.replicated = replicated;
    this.#maxAge = maxAge;
  }

  /**
   * Whether it may go on its way; if so `store` has to follow. For an expectation by filter, dispatches of the last `unseen` ms count as
   * if they were on their way still, which it does not see (S1).
   */
  propose(message: Message, now: number, unseen = 0): Refusal | null {
    const expected = expectationOf(message);
    if (expected === null) return null;
    if (this.#inFlight.has(expected.filter)) return 'in_flight';
    const last = this.last(expected.filter, now);
    if ((last?.seq ?? 0) !== expected.seq && !this.#unseen(message, expected, now - unseen)) return 'wrong_last';
    this.#inFlight.add(expected.filter);
    return null;
  }

  store(message: Message, now: number): Stored {
    const expected = expectationOf(message);
    const slipped = expected === null ? [] : this.#behind(expected);
    if (expected !== null) this.#inFlight.delete(expected.filter);
    const held = { ...message, seq: ++this.#lastSeq, time: now };
    this.messages.push(held);
    return { held, slipped };
  }

  /** The last message that matches, as a replica shows it that is behind by `lag` ms. */
  last(filter: string, now: number, lag = 0): Held | null {
    const match = matcher(filter);
    const found = this.messages.findLast(({ subject, time }) => time <= now - lag && match(subject));
    return found === undefined || now - found.time > this.#maxAge ? null : found;
  }

  at(seq: number, now: number, lag = 0): Held | null {
    return this.messages.find((held) => held.seq === seq && held.time <= now - lag) ?? null;
  }

  from(seq: number, filter: string, now: number, lag = 0): readonly Held[] {
    const match = matcher(filter);
    return this.messages.filter((held) => held.seq >= seq && held.time <= now - lag && match(held.subject));
  }

  /** Whether nothing but dispatches lies behind what a filter expects, none of them older. */
  #unseen({ subject }: Message, expected: Expectation, since: number): boolean {
    const isDispatch = ({ pairs }: Held): boolean => pairs.some(([name]) => name === 'loom-decision');
    const behind = this.#behind(expected);
    return (
      expected.filter !== subject && behind.length > 0 && behind.every((held) => held.time > since && isDispatch(held))
    );
  }

  #behind({ seq, filter }: Expectation): readonly Held[] {
    const match = matcher(filter);
    return this.messages.filter((held) => held.seq > seq && match(held.subject));
  }
}

function expectationOf({ subject, pairs }: Message): Expectation | null {
  const get = (name: string): string | undefined => pairs.find(([other]) => other === name)?.[1];
  const seq = get('Nats-Expected-Last-Subject-Sequence');
  if (seq === undefined) return null;
  return { seq: Number(seq), filter: get('Nats-Expected-Last-Subject-Sequence-Subject') ?? subject };
}
