/** One durable's pull requests on one inbox. Owns the subscription; never more than one request is open. */
import { LoomError } from '@loom/service';
import { createInbox } from '@nats-io/nats-core';
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockOf } from './block.ts';
import { tellDelivery } from './moments.ts';
import { onReconnect } from './nats.ts';
import { inboxPrefix } from './asks.ts';
import type { Stored } from './transport.ts';

export interface Delivered extends Stored {
  /** Where acks go. */
  readonly reply: string;
  /** The consumer's own count of deliveries, redeliveries included: a hole means that one got lost on the way. */
  readonly delivery: number;
}

/** `trouble`: the server does not answer, or moves; ask again a little later. */
export type Pulled = 'done' | 'trouble';

export interface Puller {
  /** Asks for up to `batch` messages; they go to the handler as they come. Resolves when they all came, or `expires` ms passed. @throws LoomError `log_unavailable` when the connection is closed for good */
  pull(batch: number, expires: number): Promise<Pulled>;
  /** Ends the open request for this side, for good; what it still brings is heard. */
  rest(): void;
  /** What is on its way is heard no more: it comes again after the ack wait, or a reset. */
  close(): void;
  /** No more is sent; resolves when what was on its way has come, or the server is silent. */
  drain(): Promise<void>;
}

const grace = 2000;

export function openPuller(
  connection: NatsConnection,
  stream: string,
  durable: string,
  onMessage: (message: Delivered) => void,
): Puller {
  const inbox = createInbox(inboxPrefix(connection));
  const api = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`;
  let open: { readonly inbox: string; left: number; readonly end: (result: Pulled) => void } | null = null;
  let requests = 0;
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return open?.end('trouble');
      if (message.subject.startsWith(inbox)) return void (message.subject === open?.inbox && status(message, open.end));
      onMessage(delivered(message, { stream, durable }));
      if (open !== null && --open.left === 0) open.end('done');
    },
  });
  const pull = (batch: number, expires: number): Promise<Pulled> =>
    new Promise<Pulled>((resolve) => {
      const timer = setTimeout(() => open?.end('trouble'), expires + grace);
      const end = (result: Pulled): void => {
        clearTimeout(timer);
        open = null;
        resolve(result);
      };
      open = { inbox: `${inbox}.${++requests}`, left: batch, end };
      connection.publish(api, JSON.stringify({ batch, expires: expires * 1_000_000 }), { reply: open.inbox });
    }).catch((cause: unknown) => {
      close();
      throw new LoomError('log_unavailable', 'the connection is closed', { cause });
    });
  const unheard = onReconnect(connection, () => open?.end('trouble'));
  const rest = (): void => (unheard(), open?.end('done'));
  const close = (): void => {
    if (!connection.isClosed()) subscription.unsubscribe();
    rest();
  };
  return { pull, rest, close, drain: () => (rest(), allOf(subscription)) };
}

/** Resolves when what was sent to it has come, or the server is silent. */
const allOf = (subscription: Subscription): Promise<void> =>
  Promise.race([subscription.drain().catch(() => undefined), sleep(grace, undefined, { ref: false })]);

/** 404 and 408: nothing (more) there; 100: a heartbeat; anything else is trouble. */
function status(message: Msg, end: (result: Pulled) => void): void {
  const code = blockOf(message)?.code ?? 0;
  if (code === 100) return;
  end(code === 404 || code === 408 ? 'done' : 'trouble');
}

/**
 * Whole Unix ms of a server's Unix ns, cut off as a direct get's are. As a number the 19 digits would be rounded to 256 ns first, and a fact just
 * below a millisecond would be delivered with another time than it is read with.
 */
export const millisecondsOf = (nanoseconds: string): number => Number(nanoseconds.slice(0, -6));

function delivered(
  message: Msg,
  { stream, durable }: { readonly stream: string; readonly durable: string },
): Delivered {
  tellDelivery(durable, message.subject);
  const reply = message.reply ?? '';
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 4 : 6;
  return {
    stream,
    subject: message.subject,
    seq: Number(tokens[at + 1]),
    delivery: Number(tokens[at + 2]),
    time: millisecondsOf(tokens[at + 3] ?? ''),
    headers: blockOf(message),
    body: message.data,
    reply,
  };
}

export const acks = {
  ack: '+ACK',
  working: '+WPI',
  term: '+TERM',
  nak: (delayMs: number): string => `-NAK ${JSON.stringify({ delay: Math.round(delayMs) * 1_000_000 })}`,
} as const;
