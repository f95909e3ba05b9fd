/**
 * Redrives: an operator's fact names a parked message, and its consumer handles that message when the fact comes to it.
 * D1  The message's own delivery is round 0, each redrive a further one; a round that fails is parked under a key of its own.
 * D2  A redrive counts only where its consumer parked the round before it, and a round has one subject: however often it is asked
 *     for, each failure on record brings one further try.
 * D3  What a consumer in order has put aside comes by a redrive alone: handed over anew, after a crash or to a reader that was set back,
 *     it is passed over, or it would count at its own place and at the redrive's.
 * D4  Nothing is asked of the durable: the message comes again through a fact in the log, at that fact's place in the order.
 */
import { LoomError } from '@loom/service';
import type { Writer } from './append.ts';
import { clearFact } from './open.ts';
import { park, roundKey, roundOf } from './park.ts';
import type { Place } from './park.ts';
import { lastUnder, messages } from './read.ts';
import { generation, streamOf, subjectOf } from './subjects.ts';
import type { Stored } from './transport.ts';
import type { ClearFact, Source } from './types.ts';

/** The message that a delivery asks its consumer to handle. */
export interface Meant {
  readonly place: Place;
  readonly round: number;
  /** @throws LoomError `gone` when retention has removed it, `log_unavailable` */
  message(): Promise<Stored>;
}

export const isRedrive = ({ subject }: Place): boolean => subject.includes('.operator.message.redriven.');

/** A delivery as it comes: its own message. */
export const itself = (message: Stored): Meant => ({
  place: message,
  round: 0,
  message: () => Promise.resolve(message),
});

/** The message that a redrive names; null when it is not for this consumer, or it has nothing parked to redrive. @throws LoomError `damaged`, `undecodable`, `log_unavailable` */
export async function redriven(writer: Writer, consumer: string, redrive: Stored): Promise<Meant | null> {
  const fact = clearFact(redrive);
  if (fact.said?.type !== 'message.redriven' || fact.said.body.consumer !== consumer) return null;
  const place = fact.said.body;
  const round = roundOf(place, fact.key);
  if (!(await wasParked(writer, fact, { ...place, round: round - 1 }))) return null;
  return { place, round, message: () => messageAt(writer, place) };
}

/** A fact and, before a redrive, the one that it brings. */
export const withRedriven = (fact: ClearFact): readonly ClearFact[] =>
  fact.redriven === undefined ? [fact] : [fact.redriven, fact];

/** What a consumer in order has parked of a stream. */
export interface Aside {
  holds(meant: Meant): boolean;
  put(meant: Meant, cause: unknown, attempts: number): Promise<void>;
}

/** As the log tells of it, and from here on as it is added to. */
export async function asideOf(writer: Writer, consumer: string, stream: string): Promise<Aside> {
  const keys = new Set<string>();
  const filter = `loom.${generation}.*.*.*.${consumer}.message.parked.*`;
  for await (const { subject } of messages(writer, stream, filter, {})) keys.add(subject.split('.').at(-1) ?? '');
  const keyOf = ({ round, place }: Meant): string => roundKey({ ...place, consumer, round });
  return {
    holds: (meant) => keys.has(keyOf(meant)),
    async put(meant, cause, attempts) {
      await park(writer, { consumer, round: meant.round }, meant.place, cause, attempts);
      keys.add(keyOf(meant));
    },
  };
}

async function wasParked(writer: Writer, at: ClearFact, failed: Parameters<typeof roundKey>[0]): Promise<boolean> {
  if (!(failed.round >= 0)) return false;
  const subject = subjectOf(at, failed.consumer as Source, 'message.parked', roundKey(failed));
  return (await lastUnder(writer, streamOf(at, writer.streams), subject)) !== null;
}

/** By its subject, the one way that is open to every service; another message under it is not the one that is meant. */
async function messageAt(writer: Writer, { stream, seq, subject }: Place): Promise<Stored> {
  const found = await lastUnder(writer, stream, subject);
  if (found?.seq === seq) return found;
  throw new LoomError('gone', `the message ${stream} ${seq} is not in the log any more`);
}
