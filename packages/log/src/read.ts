/** Reading one address: in order, by direct batch get, which needs no consumer. */
import { Carried } from './carried.ts';
import { openFact, clearFact } from './open.ts';
import type { Parts } from './encode.ts';
import type { ClearOptions, ReadOptions, TailOptions } from './port.ts';
import { generation, prefixOf, streamOf, subjectOf, wholeStream } from './subjects.ts';
import { directBatch, directGet, directGetAt, directLast, leaderGet } from './transport.ts';
import type { Batch, Stored } from './transport.ts';
import type { Address, ClearFact, Fact, Source } from './types.ts';
import type { FactType } from '@loom/schemas';
import type { NatsConnection } from '@nats-io/nats-core';
import { promisify } from 'node:util';

export interface Reader extends Parts {
  readonly connection: NatsConnection;
  readonly streams: number;
  /** Streams have replicas, and this user may ask the leader. */
  readonly asksLeader: boolean;
}

/** The last message under one literal subject, or null. What was acknowledged before is found, where the leader may be asked. */
export async function lastUnder(
  reader: Pick<Reader, 'connection' | 'asksLeader'>,
  stream: string,
  subject: string,
): Promise<Stored | null> {
  const found = await directGet(reader.connection, stream, subject);
  if (found !== null || !reader.asksLeader) return found;
  return leaderGet(reader.connection, stream, { last_by_subj: subject });
}

/** The message at one sequence, or null; found as `lastUnder` finds. */
export async function messageAt(
  reader: Pick<Reader, 'connection' | 'asksLeader'>,
  stream: string,
  seq: number,
): Promise<Stored | null> {
  const found = await directGetAt(reader.connection, stream, seq);
  if (found !== null || !reader.asksLeader) return found;
  return leaderGet(reader.connection, stream, { seq });
}

/** Messages of a page. */
export const batch = 1000;

/** Raw messages of one stream in the order of their sequence. */
export async function* messages(
  reader: Pick<Reader, 'connection'>,
  stream: string,
  filter: string,
  { after = 0, upto = Infinity }: ReadOptions,
): AsyncGenerator<Stored> {
  const behind = (seq: number): Promise<Batch> =>
    directBatch(reader.connection, stream, { seq: seq + 1, next_by_subj: filter, batch });
  for (let page = await behind(after), next: Promise<Batch> | null = null; ; next = null) {
    for (const [i, message] of page.messages.entries()) {
      if (message.seq > upto) return;
      yield message;
      if (i === 0) next = behindPage(page, upto, behind);
      if (i === 0 && next !== null) await turn();
    }
    if (next === null) return;
    page = await next;
  }
}

/** Asked for while the page before is worked on, by who took more than one message of it. */
function behindPage(
  { messages: page, more }: Batch,
  upto: number,
  behind: (seq: number) => Promise<Batch>,
): Promise<Batch> | null {
  const last = page.at(-1)?.seq ?? Infinity;
  if (!more || last >= upto) return null;
  const next = behind(last);
  next.catch(() => undefined); // who awaits it is told; who stopped reading need not be
  return next;
}

/** What is asked goes out with the turn of the event loop: the server reads while this process works on. */
const turn = promisify(setImmediate);

const ofAddress = (reader: Reader, at: Address, options: ReadOptions, below = '>'): AsyncGenerator<Stored> =>
  messages(reader, streamOf(at, reader.streams), `${prefixOf(at)}.${below}`, options);

export async function* read(reader: Reader, at: Address, options: ReadOptions = {}): AsyncGenerator<Fact> {
  const carried = new Carried();
  for await (const message of ofAddress(reader, at, options)) yield openFact(reader, message, carried);
}

export async function* readClear(reader: Reader, at: Address, options: ClearOptions = {}): AsyncGenerator<ClearFact> {
  const { only } = options;
  const below = only && `${only.source}.${only.type}.*`;
  for await (const message of ofAddress(reader, at, options, below)) yield clearFact(message);
}

/** A whole stream, or one job of it, clear fields only. */
export async function* tail(reader: Reader, stream: string, options: TailOptions = {}): AsyncGenerator<ClearFact> {
  const { job, onUnreadable } = options;
  const filter = job === undefined ? wholeStream : `loom.${generation}.*.*.${job}.>`;
  for await (const message of messages(reader, stream, filter, options)) {
    const fact = onUnreadable === undefined ? clearFact(message) : clearOrTold(message, onUnreadable);
    if (fact !== null) yield fact;
  }
}

function clearOrTold(message: Stored, tell: NonNullable<TailOptions['onUnreadable']>): ClearFact | null {
  try {
    return clearFact(message);
  } catch (cause) {
    tell(message.seq, cause);
    return null;
  }
}

export function getRaw(
  reader: Reader,
  at: Address,
  source: Source,
  type: FactType,
  key: string,
): Promise<Stored | null> {
  return lastUnder(reader, streamOf(at, reader.streams), subjectOf(at, source, type, key));
}

/** The last message of a kind at an address, or null; a replica that is behind may answer with one before it. */
export function getLastRaw(reader: Reader, at: Address, source: Source, type: FactType): Promise<Stored | null> {
  return directLast(reader.connection, streamOf(at, reader.streams), `${prefixOf(at)}.${source}.${type}.*`);
}
