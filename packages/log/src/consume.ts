/**
 * Consumers of single facts: shared by replicas, or by leased streams.
 * C1  Ack last: only after `handle` resolved. What has no hope is parked first, then terminated.
 * C2  Undecodable, damaged or refused for good: parked at once; failing for no known reason: parked after 5 attempts of this process.
 * C3  Who takes a leased stream over sets the durable back to its ack floor, so that what its predecessor held comes at once.
 * C4  Who shares a durable and ends hands back what is still on its way to it, as far as it comes before the server's answer; the rest comes after the ack wait.
 * C5  Whose folds are fed by its durable is handed more than it may work on: what is in hand waits for facts that lie behind what is not.
 * C6  A redrive is handled as if the message that it names were delivered (redrive.ts).
 */
import type { FactType } from '@loom/schemas';
import { LoomError, backoffMs, crashpoint, inSpan } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Writer } from './append.ts';
import { redrives, rowOf } from './consumers.ts';
import type { Feed } from './feed.ts';
import { Hands } from './hands.ts';
import type { Verdict } from './hands.ts';
import { pause, underLease } from './leases.ts';
import { Attempts, mostAttempts, park, willPass } from './park.ts';
import type { ConsumeOptions } from './port.ts';
import { say } from './nats.ts';
import { acks, openPuller } from './pull.ts';
import type { Delivered } from './pull.ts';
import { isRedrive, itself, redriven } from './redrive.ts';
import { mostPending } from './streams.ts';
import { streamNames } from './subjects.ts';
import { enquire } from './transport.ts';
import type { Stored } from './transport.ts';
import type { Head } from './types.ts';

/** Messages of one request: as many may go astray where its process is paused. */
const mostPulled = 100;

/** How long a pull request waits for messages; ms. */
const expires = 5000;

type Handled = Head & { readonly type: FactType };

export async function consume<F extends Handled>(
  writer: Writer,
  options: ConsumeOptions<F>,
  decode: (message: Stored) => Promise<F>,
  feed: Feed,
): Promise<void> {
  const { service, signal, width } = options;
  const row = rowOf(service);
  const attempts = new Attempts();
  const work = (message: Delivered): Promise<Verdict> => handleOne(writer, options, decode, attempts, message);
  const fed = row?.triggers === undefined ? {} : { fed: { feed, triggers: prefixesOf([...row.triggers, redrives]) } };
  const streams = streamNames(writer.streams);
  await run(
    writer.connection,
    { durable: service, streams, leased: row?.leased === true, width, signal, ...fed },
    work,
  );
}

/** `<source>.<noun>` and `<source>.<noun>.<verb>` of what is to be handled. */
const prefixesOf = (patterns: readonly string[]): ReadonlySet<string> =>
  new Set(patterns.map((pattern) => pattern.replace(/\.[*>]$/, '')));

interface Run {
  readonly durable: string;
  readonly streams: readonly string[];
  readonly leased: boolean;
  readonly width: number;
  readonly signal: AbortSignal;
  /** For leased durables: everything goes to the feed, only the triggers are handled. */
  readonly fed?: { readonly feed: Feed; readonly triggers: ReadonlySet<string> };
}

/** Works on a durable's messages on all its streams until the signal aborts and what is in hand has ended. */
export async function run(
  connection: NatsConnection,
  { durable, streams, leased, width, signal, fed }: Run,
  work: (message: Delivered) => Promise<Verdict>,
): Promise<void> {
  const ackWait = await ackWaitOf(connection, streams[0]!, durable);
  const ahead = fed === undefined ? 0 : mostPending;
  const hands = new Hands(connection, { durable, width, ahead, ackWait, signal }, work);
  const take = takerOf(connection, hands, fed);
  const pumps = streams.map((stream) => {
    const pumping = { connection, stream, durable, leased, hands, take, among: streams.length };
    if (!leased) return pump(pumping, signal);
    return underLease(connection, `${durable}.${stream}`, signal, async (held) => {
      await resetDurable(connection, stream, durable, held);
      fed?.feed.begin(stream);
      await pump(pumping, held).finally(() => fed?.feed.end(stream));
    });
  });
  await Promise.all(pumps);
  await hands.empty();
}

type Take = (message: Delivered) => void;

function takerOf(connection: NatsConnection, hands: Hands, fed: Run['fed']): Take {
  if (fed === undefined) return (message) => hands.take(message);
  return (message) => {
    fed.feed.push(message);
    const [, , , , , source, noun, verb] = message.subject.split('.', 8);
    const about = `${source}.${noun}`;
    if (fed.triggers.has(about) || fed.triggers.has(`${about}.${verb}`)) hands.take(message);
    else say(connection, message.reply, acks.ack);
  };
}

interface Pumping {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly durable: string;
  readonly leased: boolean;
  readonly hands: Hands;
  readonly take: Take;
  readonly among: number;
}

async function pump(pumping: Pumping, signal: AbortSignal): Promise<void> {
  const { connection, stream, durable, leased, hands, take, among } = pumping;
  const puller = openPuller(connection, stream, durable, take);
  signal.addEventListener('abort', () => (leased ? puller.close() : puller.rest()), { once: true });
  while (!signal.aborted) {
    await hands.room();
    if (signal.aborted) break;
    const share = Math.floor(hands.free() / among);
    const pulled = await puller.pull(Math.min(mostPulled, Math.max(1, share)), expires);
    if (pulled === 'trouble') await pause(250 + Math.random() * 250, signal);
  }
  if (leased) puller.close();
  else await puller.drain();
}

async function handleOne<F extends Handled>(
  writer: Writer,
  { service, handle }: ConsumeOptions<F>,
  decode: (message: Stored) => Promise<F>,
  counts: Attempts,
  message: Delivered,
): Promise<Verdict> {
  const count = counts.begin(message);
  crashpoint(service, 'received');
  let meant = itself(message);
  try {
    const named = isRedrive(message) ? await redriven(writer, service, message) : meant;
    if (named === null) return done(counts, message, 'ack');
    meant = named;
    const fact = await decode(await meant.message());
    const attributes = { 'loom.type': fact.type, 'loom.stream': fact.stream, 'loom.seq': fact.seq };
    await inSpan(`${service} ${fact.type}`, fact.traceparent, attributes, () =>
      handle(fact, { attempts: count.attempts, stream: message.stream }),
    );
  } catch (cause) {
    const failure = LoomError.from(cause);
    if (!willPass(failure)) count.faults++;
    if (failure.retry !== 'never' && count.faults < mostAttempts) return { againAfter: backoffMs(count.attempts) };
    await park(writer, { consumer: service, round: meant.round }, meant.place, cause, count.attempts);
    return done(counts, message, 'term');
  }
  crashpoint(service, 'handled');
  return done(counts, message, 'ack');
}

function done(counts: Attempts, message: Delivered, verdict: Verdict): Verdict {
  counts.end(message);
  return verdict;
}

/** Ms until an unacked message comes again. @throws LoomError `part_missing` when set-up has not made the durable */
export async function ackWaitOf(connection: NatsConnection, stream: string, durable: string): Promise<number> {
  interface Info {
    readonly config?: { readonly ack_wait: number };
  }
  const { config } = await enquire<Info>(connection, `CONSUMER.INFO.${stream}.${durable}`);
  if (config === undefined) throw new LoomError('part_missing', `${stream} has no durable ${durable}: run the set-up`);
  return config.ack_wait / 1_000_000;
}

/** Back to the ack floor: what was delivered and not acked comes again, in order. Tries until it is done or the signal aborts. */
export async function resetDurable(
  connection: NatsConnection,
  stream: string,
  durable: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const reply = await connection
      .request(`$JS.API.CONSUMER.RESET.${stream}.${durable}`, '', { timeout: 2000 })
      .catch(() => null);
    if (reply !== null && reply.json<{ readonly error?: unknown }>().error === undefined) return;
    await pause(250, signal);
  }
}
