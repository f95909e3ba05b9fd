/**
 * Raw requests to JetStream: publish with an expectation, direct get, direct batch get. Owns no state.
 * X1  A time-out, no responders, 503 or 10164 prove nothing: the publish is repeated with the very same bytes.
 * X2  10071 is an answer, not an error: somebody holds the place.
 * X3  Nothing here creates a consumer or a stream.
 */
import { LoomError } from '@loom/service';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { askMany, askOne } from './asks.ts';
import { Block, blockOf } from './block.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** A message as it lies in a stream. */
export interface Stored {
  readonly stream: string;
  readonly subject: string;
  readonly seq: number;
  /** Unix ms, the server's. */
  readonly time: number;
  readonly headers: Block | undefined;
  readonly body: Uint8Array;
}

/** `uncertain`: an earlier try of the same call may have been stored although no answer came. */
export type Published =
  | { readonly kind: 'stored'; readonly seq: number }
  | { readonly kind: 'taken'; readonly uncertain: boolean };

interface PubAck {
  readonly seq?: number;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

type Answer = { readonly seq: number } | 'taken' | 'in_flight' | 'unknown';

/** A synced append takes milliseconds; asking again is safe (X1). */
const answerTimeout = 2500;
const wrongLastSequence = 10071;
const concurrentWriter = 10164;
const tooLarge = 10054;

/** @throws LoomError `log_unavailable` after `patience` ms without an answer, `fact_too_large`, `forbidden` */
export async function publish(
  connection: NatsConnection,
  message: { readonly subject: string; readonly body: Uint8Array; readonly headers: Block },
  patience: number,
): Promise<Published> {
  const end = performance.now() + patience;
  let uncertain = false;
  for (let attempt = 1; ; attempt++) {
    const answer = await tryPublish(connection, message, Math.min(answerTimeout, patience));
    if (answer === 'taken') return { kind: 'taken', uncertain };
    if (typeof answer === 'object') return { kind: 'stored', seq: answer.seq };
    if (answer === 'unknown') uncertain = true;
    if (performance.now() > end) throw new LoomError('log_unavailable');
    await sleep(answer === 'in_flight' ? 5 + Math.random() * 20 : Math.min(1000, 20 * 2 ** attempt) * Math.random());
  }
}

async function tryPublish(
  connection: NatsConnection,
  { subject, body, headers }: { readonly subject: string; readonly body: Uint8Array; readonly headers: Block },
  timeout: number,
): Promise<Answer> {
  let reply: Msg;
  try {
    reply = await askOne(connection, { subject, body, headers, timeout });
  } catch (cause) {
    return refusedOrUnknown(cause);
  }
  const ack = json<PubAck>(reply);
  if (ack.error === undefined) return ack.seq === undefined ? 'unknown' : { seq: ack.seq };
  if (ack.error.err_code === wrongLastSequence) return 'taken';
  if (ack.error.err_code === concurrentWriter) return 'in_flight';
  if (ack.error.err_code === tooLarge) throw new LoomError('fact_too_large');
  return 'unknown';
}

function refusedOrUnknown(cause: unknown): 'unknown' {
  const names = [cause, cause instanceof Error ? cause.cause : null].map((one) =>
    one instanceof Error ? one.name : '',
  );
  if (names.includes('PermissionViolationError'))
    throw new LoomError('forbidden', 'the log refuses this user this subject', { cause });
  if (names.includes('ClosedConnectionError') || names.includes('DrainingConnectionError'))
    throw new LoomError('log_unavailable', 'the connection is closed', { cause });
  return 'unknown';
}

function json<T>(message: Msg): T {
  try {
    return message.json<T>();
  } catch {
    return {} as T;
  }
}

/** The last message under one literal subject, or null. @throws LoomError `log_unavailable`, `forbidden` */
export function directGet(connection: NatsConnection, stream: string, subject: string): Promise<Stored | null> {
  return direct(connection, `$JS.API.DIRECT.GET.${stream}.${subject}`, '');
}

/** The message at one sequence, or null. @throws LoomError `log_unavailable`, `forbidden` */
export function directGetAt(connection: NatsConnection, stream: string, seq: number): Promise<Stored | null> {
  return direct(connection, `$JS.API.DIRECT.GET.${stream}`, JSON.stringify({ seq }));
}

/** The last message under subjects with wildcards, or null. @throws LoomError `log_unavailable`, `forbidden` */
export function directLast(connection: NatsConnection, stream: string, filter: string): Promise<Stored | null> {
  return direct(connection, `$JS.API.DIRECT.GET.${stream}`, JSON.stringify({ last_by_subj: filter }));
}

const getTries = 4;

/** A direct get may be answered by a replica that is behind; this one is answered by the leader: what it does not hold is not there. */
export function leaderGet(
  connection: NatsConnection,
  stream: string,
  query: { readonly last_by_subj: string } | { readonly seq: number },
): Promise<Stored | null> {
  const api = `$JS.API.STREAM.MSG.GET.${stream}`;
  return insistently(connection, api, JSON.stringify(query), (reply) => led(stream, reply));
}

function direct(connection: NatsConnection, api: string, query: string): Promise<Stored | null> {
  return insistently(connection, api, query, (reply) => {
    const headers = blockOf(reply);
    const code = headers?.code ?? 0;
    if (code === 0) return stored(reply, headers);
    return code === 404 ? null : 'unknown';
  });
}

/** Asks again while there is no answer. @throws LoomError `log_unavailable`, `forbidden` */
async function insistently<T>(
  connection: NatsConnection,
  api: string,
  query: string,
  read: (reply: Msg) => T | 'unknown',
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const question = { subject: api, body: query, timeout: answerTimeout };
    const reply = await askOne(connection, question).catch(refusedOrUnknown);
    const answer = reply === 'unknown' ? reply : read(reply);
    if (answer !== 'unknown') return answer;
    if (attempt === getTries) throw new LoomError('log_unavailable', 'the log does not answer a read');
    await sleep(50 * 2 ** attempt * Math.random());
  }
}

/** How long a question about a stream or durable is asked: an election may take 9 s. ms */
const enquiryPatience = 20_000;

/** What the API says of a stream or durable. Whoever leads it answers, so it is asked again while nobody does. @throws LoomError `log_unavailable`, `forbidden` */
export async function enquire<T>(connection: NatsConnection, question: string, body?: object): Promise<T> {
  for (const end = performance.now() + enquiryPatience; ; await sleep(250)) {
    const reply = await connection
      .request(`$JS.API.${question}`, body === undefined ? '' : JSON.stringify(body), { timeout: answerTimeout })
      .catch(refusedOrUnknown);
    const answer = reply === 'unknown' ? { error: { code: 503 } } : json<PubAck>(reply);
    if (answer.error?.code !== 503) return answer as T;
    if (performance.now() > end) throw new LoomError('log_unavailable', `no word on ${question}`);
  }
}

interface Led {
  readonly message?: {
    readonly subject: string;
    readonly seq: number;
    readonly hdrs?: string;
    readonly data?: string;
    readonly time: string;
  };
  readonly error?: { readonly err_code?: number };
}

const noSuchMessage = 10037;

function led(stream: string, reply: Msg): Stored | null | 'unknown' {
  const { message, error } = json<Led>(reply);
  if (message === undefined) return error?.err_code === noSuchMessage ? null : 'unknown';
  const { subject, seq, time, hdrs, data = '' } = message;
  const headers = hdrs === undefined ? undefined : Block.read(Buffer.from(hdrs, 'base64'));
  return { stream, subject, seq, time: Date.parse(time), headers, body: Buffer.from(data, 'base64') };
}

export interface Batch {
  readonly messages: readonly Stored[];
  /** More matched than came. */
  readonly more: boolean;
}

/** From a sequence on, or from a time (RFC 3339) on. */
type From = { readonly seq: number } | { readonly start_time: string };

/** Up to `batch` messages from there on whose subjects match. @throws LoomError `log_unavailable`, `forbidden` */
export async function directBatch(
  connection: NatsConnection,
  stream: string,
  query: From & { readonly next_by_subj: string; readonly batch: number },
  tries = getTries,
): Promise<Batch> {
  for (let attempt = 1; ; attempt++) {
    const batch = await oneBatch(connection, stream, JSON.stringify(query)).catch(refusedOrUnknown);
    if (batch !== 'unknown' && batch !== null) return batch;
    if (attempt === tries) throw new LoomError('log_unavailable', 'the log does not answer a read');
    await sleep(50 * 2 ** attempt * Math.random());
  }
}

/** Null when the answer broke off by a status that is no end of batch. */
async function oneBatch(connection: NatsConnection, stream: string, query: string): Promise<Batch | null> {
  const messages: Stored[] = [];
  let batch: Batch | null = null;
  const question = { subject: `$JS.API.DIRECT.GET.${stream}`, body: query, timeout: answerTimeout };
  await askMany(connection, question, (message) => {
    const headers = blockOf(message);
    const code = headers?.code ?? 0;
    if (code === 0) messages.push(stored(message, headers));
    else if (code === 204) batch = { messages, more: Number(headers?.get('Nats-Num-Pending') ?? 0) > 0 };
    else if (code === 404) batch = { messages: [], more: false };
    return code !== 0;
  });
  return batch;
}

function stored(message: Msg, headers: Block | undefined): Stored {
  return {
    stream: headers?.get('Nats-Stream') ?? '',
    subject: headers?.get('Nats-Subject') ?? '',
    seq: Number(headers?.get('Nats-Sequence') ?? 0),
    time: Date.parse(headers?.get('Nats-Time-Stamp') ?? ''),
    headers,
    body: message.data,
  };
}
