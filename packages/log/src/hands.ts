/**
 * The messages that a process has in hand from one durable.
 * H1  At most `width` are worked on at once; messages above that wait, `ahead` of them at most, and no more are asked for.
 * H2  Whatever is in hand is reported as being worked on, in one sweep, four times within the ack wait.
 * H3  Every message ends as acked, terminated or handed back; after an abort, what has not begun is handed back.
 */
import { crashArmed, crashpoint } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { say } from './nats.ts';
import { flushOutbox } from './outbox.ts';
import { acks } from './pull.ts';
import type { Delivered } from './pull.ts';

/** How a message ended: done with, never to come again, or to come again after so many ms. */
export type Verdict = 'ack' | 'term' | { readonly againAfter: number };

interface Options {
  readonly durable: string;
  readonly width: number;
  readonly ahead: number;
  /** ms */
  readonly ackWait: number;
  readonly signal: AbortSignal;
}

const longestSweep = 15_000;

export class Hands {
  readonly #connection: NatsConnection;
  readonly #options: Options;
  readonly #work: (message: Delivered) => Promise<Verdict>;
  /** Reply subjects of everything in hand. */
  readonly #held = new Set<string>();
  readonly #waiting: Delivered[] = [];
  readonly #sweep: NodeJS.Timeout;
  #busy = 0;
  #wake: (() => void)[] = [];

  constructor(connection: NatsConnection, options: Options, work: (message: Delivered) => Promise<Verdict>) {
    this.#connection = connection;
    this.#options = options;
    this.#work = work;
    this.#sweep = setInterval(() => this.#report(), Math.min(longestSweep, options.ackWait / 4));
    options.signal.addEventListener('abort', () => this.#advance(), { once: true });
  }

  take(message: Delivered): void {
    this.#held.add(message.reply);
    this.#waiting.push(message);
    this.#advance();
  }

  /** How many more there is room for; may be negative. */
  free(): number {
    const { width, ahead } = this.#options;
    return width + ahead - this.#busy - this.#waiting.length;
  }

  /** Resolves when there is room for one more, or the signal aborted. */
  room(): Promise<void> {
    return this.#until(() => this.#options.signal.aborted || this.free() > 0);
  }

  /** Resolves when everything in hand has ended. */
  async empty(): Promise<void> {
    await this.#until(() => this.#held.size === 0);
    clearInterval(this.#sweep);
  }

  async #begin(message: Delivered): Promise<void> {
    this.#busy++;
    const verdict = await this.#work(message).catch((): Verdict => ({ againAfter: 1000 }));
    this.#busy--;
    this.#end(message, verdict);
    this.#advance();
  }

  #end(message: Delivered, verdict: Verdict): void {
    const word = typeof verdict === 'string' ? acks[verdict] : acks.nak(verdict.againAfter);
    say(this.#connection, message.reply, word);
    if (verdict === 'ack') crashAfterAck(this.#connection, this.#options.durable);
    this.#held.delete(message.reply);
  }

  #advance(): void {
    const { signal, width } = this.#options;
    while (this.#waiting.length > 0 && (signal.aborted || this.#busy < width)) {
      const next = this.#waiting.shift()!;
      if (signal.aborted) this.#end(next, { againAfter: 0 });
      else void this.#begin(next);
    }
    const waked = this.#wake;
    this.#wake = [];
    for (const go of waked) go();
  }

  #report(): void {
    for (const reply of this.#held) say(this.#connection, reply, acks.working);
  }

  async #until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}

/** An ack is said and not waited for; a crash behind it must not come before it has left this process. */
export function crashAfterAck(connection: NatsConnection, durable: string): void {
  if (!crashArmed(durable, 'acked')) return;
  flushOutbox(connection);
  void connection.flush().then(() => crashpoint(durable, 'acked'));
}
