/**
 * Consumer lag, asked of the server whenever somebody scrapes: what nobody reads costs nothing, and no message waits for it.
 * L1  A service asks about its own durables alone; its NATS user may do no more.
 * L2  A question without an answer is told as such: no figure is made up, and none is left standing.
 */
import type { Attributes } from '@opentelemetry/api';
import { metrics } from './metrics.ts';
import { expectFacts } from './vitals.ts';

/** As much of a log as is needed here; this package knows none. */
export interface AskedLog {
  /** JetStream streams of the facts. */
  readonly streams: readonly string[];
  readonly connection: {
    isClosed(): boolean;
    request(subject: string, payload: string, options: { timeout: number }): Promise<{ json<T>(): T }>;
  };
}

interface ConsumerInfo {
  readonly num_pending?: number;
  readonly num_ack_pending?: number;
  readonly ack_floor?: { readonly stream_seq: number };
}

interface StreamInfo {
  readonly state?: { readonly bytes: number; readonly messages: number };
}

/** Longer than a leader takes to answer, shorter than a scrape may last; ms. */
const timeout = 2000;

async function ask<T>({ connection }: AskedLog, question: string): Promise<T | null> {
  if (connection.isClosed()) return null;
  const reply = await connection.request(`$JS.API.${question}`, '', { timeout }).catch(() => null);
  return reply?.json<T>() ?? null;
}

const help = {
  'loom.consumer.answers': 'Whether the server answers for the durable: 1 or 0.',
  'loom.consumer.pending': 'Facts that the durable has not been handed yet.',
  'loom.consumer.unacked': 'Facts handed out and not acknowledged yet.',
  'loom.consumer.stalled_seconds': 'How long facts have waited without the oldest of them being acknowledged.',
} as const;

/** The oldest unacknowledged fact as it was seen first. */
interface Floor {
  readonly seq: number;
  readonly since: number;
}

/** Shows the lag of a service's durables, `durable` on each event stream and what `more` names beside, until the function returned is called. */
export function measureLog(
  durable: string,
  log: AskedLog,
  more: readonly { readonly stream: string; readonly durable: string }[] = [],
): () => void {
  expectFacts(durable);
  const floors = new Map<string, Floor>();
  const all = [...log.streams.map((stream) => ({ stream, durable })), ...more];
  return metrics.observe('Gauge', help, async (tell) => {
    const one = async (at: (typeof all)[number]): Promise<void> => {
      const info = await ask<ConsumerInfo>(log, `CONSUMER.INFO.${at.stream}.${at.durable}`);
      const attributes = attributesOf(at.stream, at.durable);
      tell('loom.consumer.answers', info?.ack_floor === undefined ? 0 : 1, attributes);
      if (info?.ack_floor === undefined) return;
      const { num_pending: pending = 0, num_ack_pending: unacked = 0 } = info;
      tell('loom.consumer.pending', pending, attributes);
      tell('loom.consumer.unacked', unacked, attributes);
      const stalled = stalledFor(floors, at.stream, info.ack_floor.stream_seq, pending + unacked > 0);
      tell('loom.consumer.stalled_seconds', stalled, attributes);
    };
    await Promise.all(all.map(one));
  });
}

const attributesOf = (stream: string, durable: string): Attributes => ({
  'messaging.system': 'nats',
  'messaging.destination.name': stream,
  'messaging.consumer.group.name': durable,
});

/** Seconds since the floor was first seen where it is, while anything waits above it. */
function stalledFor(floors: Map<string, Floor>, stream: string, seq: number, waits: boolean): number {
  const now = performance.now();
  const before = floors.get(stream);
  const floor = waits && before?.seq === seq ? before : { seq, since: now };
  floors.set(stream, floor);
  return (now - floor.since) / 1000;
}

/** Shows how much each event stream holds, until the function returned is called. */
export function measureStreams(log: AskedLog): () => void {
  const sizes = {
    'loom.stream.bytes': 'Bytes that an event stream holds, one replica.',
    'loom.stream.facts': 'Facts that an event stream holds.',
  };
  return metrics.observe('Gauge', sizes, async (tell) => {
    const one = async (stream: string): Promise<void> => {
      const state = (await ask<StreamInfo>(log, `STREAM.INFO.${stream}`))?.state;
      if (state === undefined) return;
      const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': stream };
      tell('loom.stream.bytes', state.bytes, attributes);
      tell('loom.stream.facts', state.messages, attributes);
    };
    await Promise.all(log.streams.map(one));
  });
}
