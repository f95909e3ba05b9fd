/**
 * Consumers of whole streams in order, for projections.
 * B1  One replica at a time takes a stream (lease); it begins at the durable's ack floor.
 * B2  Facts come in the order of their sequence, each at least once: a hole in the deliveries, or a failed batch of another life,
 *     sets the durable back to its ack floor; redeliveries of what is in hand are passed over.
 * B3  An ack covers everything before it, and comes after `handle` resolved.
 */
import { LoomError, backoffMs, crashpoint } from '@loom/service';
import type { Writer } from './append.ts';
import { resetDurable } from './consume.ts';
import { crashAfterAck } from './hands.ts';
import { pause, underLease } from './leases.ts';
import { say } from './nats.ts';
import { clearFact } from './open.ts';
import { mostAttempts, park, willPass } from './park.ts';
import type { BatchOptions } from './port.ts';
import { acks, openPuller } from './pull.ts';
import type { Delivered } from './pull.ts';
import { streamNames } from './subjects.ts';
import type { ClearFact } from './types.ts';

const expires = 5000;

export async function consumeBatches(writer: Writer, options: BatchOptions): Promise<void> {
  const { service, signal } = options;
  const streams = streamNames(writer.streams).map((stream) =>
    underLease(writer.connection, `${service}.${stream}`, signal, async (held) => {
      while (!held.aborted) {
        await resetDurable(writer.connection, stream, service, held);
        await inOrder(writer, options, stream, held);
      }
    }),
  );
  await Promise.all(streams);
}

/** Until the signal aborts or a delivery was lost. */
async function inOrder(writer: Writer, options: BatchOptions, stream: string, signal: AbortSignal): Promise<void> {
  const queue = openQueue(writer, options, stream, signal);
  try {
    while (!signal.aborted && !queue.broken()) {
      const messages = await queue.next();
      const last = messages.at(-1);
      if (last === undefined) continue;
      crashpoint(options.service, 'received');
      await project(writer, options, stream, messages, signal);
      crashpoint(options.service, 'handled');
      if (signal.aborted) return;
      say(writer.connection, last.reply, acks.ack);
      crashAfterAck(writer.connection, options.service);
    }
  } finally {
    queue.close();
  }
}

interface Queue {
  /** What has come since; waits for something, or for the signal. @throws LoomError `log_unavailable` when the connection is closed for good */
  next(): Promise<readonly Delivered[]>;
  /** A delivery was lost on the way. */
  broken(): boolean;
  close(): void;
}

function openQueue(writer: Writer, { service, size }: BatchOptions, stream: string, signal: AbortSignal): Queue {
  let waiting: Delivered[] = [];
  let last = { seq: 0, delivery: 0 };
  let broken = false;
  let pulling = false;
  let closed: unknown = null;
  let wake = (): void => undefined;
  const puller = openPuller(writer.connection, stream, service, (message) => {
    broken ||= message.delivery !== last.delivery + 1;
    if (!broken && message.seq > last.seq) waiting.push(message);
    last = { seq: Math.max(last.seq, message.seq), delivery: message.delivery };
    wake();
  });
  const pull = async (): Promise<void> => {
    pulling = true;
    const pulled = await puller.pull(size, expires).catch((cause: unknown) => void (closed = cause));
    if (pulled === 'trouble') await pause(250 + Math.random() * 250, signal);
    pulling = false;
    wake();
  };
  signal.addEventListener('abort', () => wake(), { once: true });
  return {
    async next() {
      while (waiting.length === 0 && !signal.aborted && !broken) {
        if (closed !== null) throw closed;
        if (!pulling) void pull();
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const messages = waiting;
      waiting = [];
      return messages;
    },
    broken: () => broken,
    close: () => puller.close(),
  };
}

/** Hands the facts over until they are taken: together, after a failure one by one; what cannot be taken is parked. */
async function project(
  writer: Writer,
  { service, handle }: BatchOptions,
  stream: string,
  messages: readonly Delivered[],
  signal: AbortSignal,
): Promise<void> {
  const decoded: { readonly message: Delivered; readonly fact: ClearFact }[] = [];
  for (const message of messages) {
    const fact = await decodeOrPark(writer, service, message);
    if (fact !== null) decoded.push({ message, fact });
  }
  const facts = decoded.map((one) => one.fact);
  if (facts.length === 0 || (await attempt(() => handle(stream, facts), signal)) === null) return;
  for (const { message, fact } of decoded) {
    const cause = await attempt(() => handle(stream, [fact]), signal);
    if (signal.aborted) return;
    if (cause !== null) await park(writer, service, message, cause, mostAttempts);
  }
}

async function decodeOrPark(writer: Writer, service: string, message: Delivered): Promise<ClearFact | null> {
  try {
    return clearFact(message);
  } catch (cause) {
    await park(writer, service, message, cause, 1);
    return null;
  }
}

/** Null when it went well, or the signal aborted; else why it never will. */
async function attempt(work: () => Promise<void>, signal: AbortSignal): Promise<unknown> {
  let faults = 0;
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await work();
      return null;
    } catch (cause) {
      const failure = LoomError.from(cause);
      if (!willPass(failure)) faults++;
      if (failure.retry === 'never' || faults >= mostAttempts) return failure;
      await pause(backoffMs(tries), signal);
    }
  }
  return null;
}
