/**
 * Consumers of whole streams in order, for projections.
 * B1  One replica at a time takes a stream (lease); it begins at the durable's ack floor.
 * B2  Facts come in the order of their sequence, each at least once: a hole in the deliveries, or a failed batch of another life,
 *     sets the durable back to its ack floor; redeliveries of what is in hand are passed over.
 * B3  An ack covers everything before it, and comes after `handle` resolved. What cannot be taken is parked (take.ts), and the stream goes on.
 * B4  A reader may hold less than was acked for it: its database was set back, or is new. It is told up to where everything was handed over
 *     before; where it stands behind that (`Behind`), what lies between is read from the log and handed over first.
 * B5  A reader may set a pace: facts that trickle in come a batch at a time, and a backlog as fast as it is taken.
 */
import { crashpoint, metrics } from '@loom/service';
import type { Writer } from './append.ts';
import { resetDurable } from './consume.ts';
import { crashAfterAck } from './hands.ts';
import { pause, underLease } from './leases.ts';
import { say } from './nats.ts';
import type { BatchOptions } from './port.ts';
import { acks, openPuller } from './pull.ts';
import type { Delivered } from './pull.ts';
import { messages as messagesOf } from './read.ts';
import { asideOf } from './redrive.ts';
import { streamNames, wholeStream } from './subjects.ts';
import { Behind, take } from './take.ts';
import type { Handed } from './take.ts';
import { enquire } from './transport.ts';
import type { Stored } from './transport.ts';

const expires = 5000;
/** A reader with so many facts in a batch has a backlog, and goes on at once. */
const few = 20;

const missed = metrics.counter(
  'loom.batches.missed',
  'Facts handed over anew to a reader that had lost them, by durable.',
);

export async function consumeBatches(writer: Writer, options: BatchOptions): Promise<void> {
  const { service, signal } = options;
  const streams = streamNames(writer.streams).map((stream) =>
    underLease(writer.connection, `${service}.${stream}`, signal, async (held) => {
      while (!held.aborted) {
        await resetDurable(writer.connection, stream, service, held);
        if (!held.aborted) await inOrder(writer, options, stream, held);
      }
    }),
  );
  await Promise.all(streams);
}

/** The sequence up to which everything was acked for a durable. */
async function ackFloor({ connection }: Writer, stream: string, durable: string): Promise<number> {
  const info = await enquire<{ ack_floor?: { stream_seq?: number } }>(connection, `CONSUMER.INFO.${stream}.${durable}`);
  return info.ack_floor?.stream_seq ?? 0;
}

/** Until the signal aborts or a delivery was lost. */
async function inOrder(writer: Writer, options: BatchOptions, stream: string, signal: AbortSignal): Promise<void> {
  const { service, pace = 0 } = options;
  let after = await ackFloor(writer, stream, service);
  const aside = await asideOf(writer, service, stream);
  await handOver(writer, options, { stream, messages: [], after, aside }, signal);
  const queue = openQueue(writer, options, stream, signal);
  try {
    while (!signal.aborted && !queue.broken()) {
      const messages = await queue.next();
      const last = messages.at(-1);
      if (last === undefined) continue;
      const began = performance.now();
      crashpoint(service, 'received');
      await handOver(writer, options, { stream, messages, after, aside }, signal);
      crashpoint(service, 'handled');
      if (signal.aborted) return;
      after = last.seq;
      say(writer.connection, last.reply, acks.ack);
      crashAfterAck(writer.connection, options.service);
      const rest = began + pace - performance.now();
      if (rest > 0 && messages.length < few) await pause(rest, signal);
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

/** Hands messages over, and before them what the reader has lost (B4). */
async function handOver(writer: Writer, options: BatchOptions, handed: Handed, signal: AbortSignal): Promise<void> {
  const { after } = handed;
  try {
    await take(writer, options, handed, signal);
  } catch (cause) {
    if (!(cause instanceof Behind)) throw cause;
    for await (const page of pages(writer, handed.stream, cause.seq, after, options.size)) {
      if (signal.aborted) return;
      await take(writer, options, { ...handed, messages: page, after: 0 }, signal);
      missed.add(page.length, { 'messaging.consumer.group.name': options.service });
    }
    await take(writer, options, { ...handed, after: 0 }, signal);
  }
}

async function* pages(
  writer: Writer,
  stream: string,
  after: number,
  upto: number,
  size: number,
): AsyncGenerator<readonly Stored[]> {
  let page: Stored[] = [];
  for await (const message of messagesOf(writer, stream, wholeStream, { after, upto })) {
    page.push(message);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
