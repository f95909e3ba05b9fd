/** What a process holds of the server: as much of a connection of nats.js as Loom uses. */
import { createInbox } from '@nats-io/nats-core';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { matcher } from './subjects.ts';
import { Wire } from '../network.ts';
import type { Faults } from '../faults.ts';
import type { Host } from '../timeline.ts';
import type { Message } from './stream.ts';

export type Pair = readonly [string, string];

/** What a process sends. */
export interface Sent extends Message {
  readonly reply: string;
}

/** What it is sent: `subject` is shown, the address decides who gets it. */
export interface Given {
  readonly subject: string;
  readonly reply?: string;
  readonly code?: number;
  readonly pairs?: readonly Pair[];
  readonly body?: Uint8Array | string;
}

export interface Acceptor {
  accept(link: Link, message: Sent): void;
  /** Wants to hear of all that is published there. */
  listen(link: Link, pattern: string): () => void;
}

interface Subscription {
  readonly matches: (address: string) => boolean;
  readonly callback: (error: Error | null, message: Msg) => void;
}

interface PublishOptions {
  readonly reply?: string;
  readonly headers?: unknown;
}

/** What becomes of a message before it leaves; null: the process is dead by now. */
export type Tamper = (message: Sent) => Sent | null;

/** Names of inboxes are begun with random numbers, once a process: outside of every host, so that the first seed draws what it would draw later. */
createInbox();

/** One process's connection. */
export class Link {
  readonly host: Host;
  readonly #user: string;
  readonly #server: Acceptor;
  readonly #up: Wire;
  readonly #down: Wire;
  readonly #tamper: Tamper;
  readonly #subscriptions = new Set<Subscription>();
  #requests = 0;

  constructor(host: Host, user: string, server: Acceptor & { readonly host: Host }, faults: Faults, tamper: Tamper) {
    this.host = host;
    this.#user = user;
    this.#server = server;
    this.#up = new Wire(host, server.host, faults);
    this.#down = new Wire(server.host, host, faults);
    this.#tamper = tamper;
  }

  /** From the server to whoever listens at the address. */
  give(address: string, given: Given): void {
    this.#down.send(() => {
      for (const { matches, callback } of this.#subscriptions) if (matches(address)) callback(null, messageOf(given));
    });
  }

  /** Several messages that arrive together, in order. */
  giveAll(address: string, all: readonly Given[]): void {
    this.#down.send(() => {
      for (const { matches, callback } of this.#subscriptions)
        if (matches(address)) for (const given of all) callback(null, messageOf(given));
    });
  }

  asConnection(): NatsConnection {
    const never = new Promise<never>(() => undefined);
    return {
      info: { version: '2.15.1' },
      options: { inboxPrefix: `_INBOX_${this.#user}` },
      publish: (subject: string, body: Uint8Array | string = '', options: PublishOptions = {}) =>
        this.#publish(subject, body, options),
      subscribe: (pattern: string, { callback }: { callback: Subscription['callback'] }) =>
        this.#subscribe(pattern, callback),
      request: (subject: string, body: Uint8Array | string = '', { timeout = 1000 } = {}) =>
        this.#request(subject, body, timeout),
      status: () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }),
      closed: () => never,
      isClosed: () => false,
      isDraining: () => false,
      flush: () => Promise.resolve(),
      drain: () => Promise.resolve(),
      close: () => Promise.resolve(),
    } as unknown as NatsConnection;
  }

  #publish(subject: string, body: Uint8Array | string, { reply = '', headers }: PublishOptions): void {
    if (!this.host.alive) return;
    const pairs = (headers as { readonly pairs?: readonly Pair[] } | undefined)?.pairs ?? [];
    const sent = this.#tamper({ subject, body: typeof body === 'string' ? Buffer.from(body) : body, reply, pairs });
    if (sent !== null) this.#up.send(() => this.#server.accept(this, sent));
  }

  #subscribe(pattern: string, callback: Subscription['callback']): { unsubscribe: () => void } {
    const subscription = { matches: matcher(pattern), callback };
    this.#subscriptions.add(subscription);
    const unheard = pattern.startsWith('_INBOX') ? () => undefined : this.#server.listen(this, pattern);
    const unsubscribe = (): void => {
      this.#subscriptions.delete(subscription);
      unheard();
    };
    return { unsubscribe };
  }

  #request(subject: string, body: Uint8Array | string, timeout: number): Promise<Msg> {
    const reply = `_INBOX_${this.#user}.request.${++this.#requests}`;
    return new Promise((resolve, reject) => {
      const { unsubscribe } = this.#subscribe(reply, (_error, message) => {
        unsubscribe();
        overdue.cancel();
        resolve(message);
      });
      const overdue = this.host.timeline.in(timeout, this.host, () => {
        unsubscribe();
        reject(new Error('no answer'));
      });
      this.#publish(subject, body, { reply });
    });
  }
}

/** As much of a message of nats.js as Loom reads. */
class Got {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly data: Uint8Array;
  readonly headers: Pairs | undefined;

  constructor({ subject, reply, code = 0, pairs = [], body = '' }: Given) {
    this.subject = subject;
    this.reply = reply;
    this.data = typeof body === 'string' ? Buffer.from(body) : body;
    this.headers = code === 0 && pairs.length === 0 ? undefined : new Pairs(code, pairs);
  }

  json(): unknown {
    return JSON.parse(Buffer.from(this.data).toString());
  }
}

class Pairs implements Iterable<readonly [string, readonly string[]]> {
  readonly code: number;
  readonly #pairs: readonly Pair[];

  constructor(code: number, pairs: readonly Pair[]) {
    this.code = code;
    this.#pairs = pairs;
  }

  *[Symbol.iterator](): Generator<readonly [string, readonly string[]]> {
    for (const [name, value] of this.#pairs) yield [name, [value]];
  }
}

const messageOf = (given: Given): Msg => new Got(given) as unknown as Msg;
