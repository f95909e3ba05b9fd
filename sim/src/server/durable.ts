/**
 * A durable pull consumer: owns where it stands, and what was handed over and not acknowledged.
 * D1  Each message is handed over at least once, in order the first time; again after the ack wait, or when it is handed back.
 * D2  A reset goes back to the ack floor: everything behind it comes again, and deliveries are counted anew.
 */
import type { Held } from './stream.ts';

/** Somebody who waits for messages. */
export interface Pull {
  readonly give: (held: Held, reply: string) => void;
  /** Nothing more comes for it. */
  readonly end: (code: number) => void;
  readonly isOpen: () => boolean;
  left: number;
  /** Simulated ms. */
  readonly until: number;
}

interface Unacked {
  readonly held: Held;
  deliveries: number;
  /** When it comes again, simulated ms. */
  due: number;
}

export interface DurableOptions {
  readonly stream: string;
  readonly name: string;
  readonly ackWait: number;
  readonly now: () => number;
  /** The first message behind a sequence that it is for. */
  readonly next: (after: number) => Held | undefined;
  /** Calls back after so many ms. */
  readonly wake: (ms: number, run: () => void) => void;
}

export class Durable {
  readonly options: DurableOptions;
  readonly #unacked = new Map<number, Unacked>();
  #pulls: Pull[] = [];
  #cursor = 0;
  #deliveries = 0;
  #alarm = Infinity;

  constructor(options: DurableOptions) {
    this.options = options;
  }

  pull(pull: Pull): void {
    this.#pulls.push(pull);
    this.options.wake(pull.until - this.options.now(), () => {
      if (!this.#pulls.includes(pull)) return;
      this.#pulls = this.#pulls.filter((one) => one !== pull);
      pull.end(408);
    });
    this.serve();
  }

  /** Hands over what there is to who waits for it. */
  serve(): void {
    this.#pulls = this.#pulls.filter((pull) => pull.isOpen());
    for (let next = this.#next(); next !== null && this.#pulls.length > 0; next = this.#next()) this.#give(next);
    this.#setAlarm();
  }

  /** What came on the subject of an ack. */
  acked(seq: number, word: string): void {
    const unacked = this.#unacked.get(seq);
    if (unacked === undefined) return;
    const { ackWait, now } = this.options;
    if (word.startsWith('+WPI')) unacked.due = now() + ackWait;
    else if (word.startsWith('-NAK')) unacked.due = now() + delayOf(word);
    else this.#unacked.delete(seq);
    this.serve();
  }

  reset(): void {
    this.#cursor = Math.min(this.#cursor, ...[...this.#unacked.keys()].map((seq) => seq - 1));
    this.#unacked.clear();
    this.#deliveries = 0;
    this.serve();
  }

  #next(): Unacked | null {
    const now = this.options.now();
    for (const unacked of this.#unacked.values()) if (unacked.due <= now) return unacked;
    const held = this.options.next(this.#cursor);
    return held === undefined ? null : { held, deliveries: 0, due: 0 };
  }

  #give(unacked: Unacked): void {
    const { stream, name, ackWait, now } = this.options;
    const { held } = unacked;
    const pull = this.#pulls[0]!;
    this.#cursor = Math.max(this.#cursor, held.seq);
    this.#unacked.set(held.seq, unacked);
    unacked.deliveries += 1;
    unacked.due = now() + ackWait;
    this.#deliveries += 1;
    pull.give(
      held,
      `$JS.ACK.${stream}.${name}.${unacked.deliveries}.${held.seq}.${this.#deliveries}.${held.time}000000.0`,
    );
    pull.left -= 1;
    if (pull.left === 0) this.#pulls.shift();
  }

  /** One alarm at a time, for what comes again first. */
  #setAlarm(): void {
    const { now, wake } = this.options;
    const due = Math.min(...[...this.#unacked.values()].map((unacked) => unacked.due));
    if (!(due < this.#alarm) || this.#pulls.length === 0) return;
    this.#alarm = due;
    wake(due - now(), () => {
      this.#alarm = Infinity;
      this.serve();
    });
  }
}

/** Of `-NAK {"delay": ns}`; ms. */
const delayOf = (word: string): number =>
  (JSON.parse(word.slice(5) || '{"delay":0}') as { readonly delay: number }).delay / 1_000_000;
