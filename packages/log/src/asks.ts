/**
 * Questions to the server on one inbox a connection. Owns who waits for an answer; a question ends by its last answer, by
 * silence, by a refusal of the right to ask, or with the connection. nats.js makes two errors with their stacks, a timer
 * object and a race of promises for each request, and a subscription of its own for each batch: a fifth of a step's time.
 */
import { createInbox, errors } from '@nats-io/nats-core';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import type { Block } from './block.ts';
import { sendLater } from './outbox.ts';

export interface Question {
  readonly subject: string;
  readonly body: string | Uint8Array;
  readonly headers?: Block;
  /** Of silence, ms. */
  readonly timeout: number;
}

interface Waiting {
  readonly subject: string;
  readonly timer: NodeJS.Timeout;
  readonly take: (message: Msg) => void;
  readonly fail: (cause: unknown) => void;
}

class Asks {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #waiting = new Map<string, Waiting>();
  #last = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#inbox = createInbox(inboxPrefix(connection));
    const skip = this.#inbox.length + 1;
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) =>
        void (error === null && this.#waiting.get(message.subject.slice(skip))?.take(message)),
    });
    void this.#hearRefusals();
    void connection.closed().then(() => this.#failAll(() => true, new errors.ClosedConnectionError()));
  }

  /** `on` gets each answer and says whether it was the last. @throws TimeoutError, PermissionViolationError, ClosedConnectionError */
  ask(question: Question, on: (message: Msg) => boolean): Promise<void> {
    const token = String(++this.#last);
    return new Promise<void>((resolve, reject) => {
      const fail = (cause: unknown): void => {
        clearTimeout(timer);
        this.#waiting.delete(token);
        reject(cause);
      };
      const timer = setTimeout(() => fail(new errors.TimeoutError()), question.timeout);
      const take = (message: Msg): void => {
        if (!on(message)) return void timer.refresh();
        clearTimeout(timer);
        this.#waiting.delete(token);
        resolve();
      };
      this.#waiting.set(token, { subject: question.subject, timer, take, fail });
      sendLater(this.#connection, () => this.#publish(question, token, fail));
    });
  }

  #publish({ subject, body, headers }: Question, token: string, fail: (cause: unknown) => void): void {
    const reply = `${this.#inbox}.${token}`;
    try {
      this.#connection.publish(
        subject,
        body,
        headers === undefined ? { reply } : { reply, headers: headers.asHeaders() },
      );
    } catch (cause) {
      fail(cause);
    }
  }

  /** The server says which subject it refuses, not which message. */
  async #hearRefusals(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      if (operation === 'publish') this.#failAll((one) => one.subject === subject, status.error);
    }
  }

  #failAll(which: (one: Waiting) => boolean, cause: unknown): void {
    for (const one of this.#waiting.values()) if (which(one)) one.fail(cause);
  }
}

const known = new WeakMap<NatsConnection, Asks>();

function asksOf(connection: NatsConnection): Asks {
  const asks = known.get(connection) ?? new Asks(connection);
  known.set(connection, asks);
  return asks;
}

/** One answer. @throws TimeoutError, PermissionViolationError, ClosedConnectionError, DrainingConnectionError; NoRespondersError when nobody listens */
export async function askOne(connection: NatsConnection, question: Question): Promise<Msg> {
  let answer: Msg | undefined;
  await asksOf(connection).ask(question, (message) => {
    answer = message;
    return true;
  });
  if (answer === undefined || (answer.data.length === 0 && answer.headers?.code === 503))
    throw new errors.NoRespondersError(question.subject);
  return answer;
}

/** As many answers as come, until `on` says that it was the last. */
export const askMany = (connection: NatsConnection, question: Question, on: (message: Msg) => boolean): Promise<void> =>
  asksOf(connection).ask(question, on);

export function inboxPrefix(connection: NatsConnection): string {
  return (
    (connection as NatsConnection & { readonly options: { readonly inboxPrefix?: string } }).options.inboxPrefix ??
    '_INBOX'
  );
}
