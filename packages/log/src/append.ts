/**
 * Unique appends, fenced decisions and their dispatches. Owns a cache of the items of recent decisions, nothing else.
 * A1  A fact is appended with expectation 0 on its own subject (`job.submitted`: on all of its job); a decision with its fence instead.
 * A2  One call encodes once: a repeated publish carries the very same bytes.
 * A3  A taken place is read back: the same `ce-id` is this very act, under a dispatch's subject anything is; else another won.
 * A4  The fence's filter is spelled by `decisionFilter` alone.
 */
import { crashpoint, LoomError, traceparent } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDecision, encodeDraft } from './encode.ts';
import type { Encoded, EncodedItem, Parts } from './encode.ts';
import { factHeaders } from './headers.ts';
import type { Stamp } from './headers.ts';
import { tellAppend } from './moments.ts';
import { itemsOf } from './open.ts';
import type { AppendOptions, DecideOptions, Log } from './port.ts';
import { decisionFilter, prefixOf, streamOf, subjectOf } from './subjects.ts';
import { lastUnder, messageAt } from './read.ts';
import { directGet, publish } from './transport.ts';
import type { Stored } from './transport.ts';
import type { Address, Appended, Draft, Fence, Source } from './types.ts';

export interface Writer extends Parts {
  readonly connection: NatsConnection;
  readonly source: Source;
  readonly streams: number;
  /** Streams have replicas, and this user may ask the leader. */
  readonly asksLeader: boolean;
  /** ms */
  readonly patience: number;
  /** Items of recent decisions by `<stream>/<seq>`. */
  readonly decisions: Map<string, readonly EncodedItem[]>;
}

interface Place {
  readonly at: Address;
  readonly subject: string;
  readonly source: Source;
  readonly type: Draft['type'];
  readonly key: string;
}

export async function append(
  writer: Writer,
  at: Address,
  draft: Draft,
  options: AppendOptions = {},
): Promise<Appended> {
  const source = options.source ?? writer.source;
  const subject = subjectOf(at, source, draft.type, draft.key);
  tellAppend(subject);
  const encoded = await encodeDraft(writer, at, source, draft);
  const stamp = {
    id: encoded.id,
    writer: writer.source,
    basis: options.basis ?? 0,
    traceparent: options.traceparent ?? traceparent(),
    ...(options.decision === undefined ? {} : { decision: options.decision }),
    replay: options.replay,
  };
  return appendUnique(writer, { at, subject, source, type: draft.type, key: draft.key }, encoded, stamp);
}

type Bytes = Pick<Encoded, 'body' | 'opened' | 'size'>;

async function appendUnique(
  writer: Writer,
  place: Place,
  { body, opened, size }: Bytes,
  stamp: Stamp,
): Promise<Appended> {
  const { at, subject } = place;
  const filter = place.type === 'job.submitted' ? `${prefixOf(at)}.>` : undefined;
  const { headers, sum } = factHeaders(subject, { ...at, ...place }, stamp, body, { seq: 0, filter });
  writer.known.remember(sum, size, opened);
  crashpoint(writer.source, 'appending');
  const published = await publish(writer.connection, { subject, body, headers }, writer.patience);
  crashpoint(writer.source, 'appended');
  if (published.kind === 'stored') return { seq: published.seq, won: true };
  const holder = await readBack(writer, at, subject);
  if (holder === null) return takenBeside(place);
  const same = holder.headers?.get('ce-id') === stamp.id;
  return { seq: holder.seq, won: same || stamp.decision !== undefined };
}

/** Something else of the job keeps its submission out; elsewhere somebody holds the very subject, so it cannot be told yet who. */
function takenBeside({ type }: Place): Appended {
  if (type === 'job.submitted') return { seq: 0, won: false };
  throw new LoomError('log_unavailable', 'the place is taken, and nobody shows yet by what');
}

/** About 2 s: who may not ask the leader may meet a replica that does not have the fact yet. */
const readBackTries = 12;

async function readBack(writer: Writer, at: Address, subject: string): Promise<Stored | null> {
  for (let attempt = 1; ; attempt++) {
    const found = await lastUnder(writer, streamOf(at, writer.streams), subject);
    if (found !== null || writer.asksLeader || attempt >= readBackTries) return found;
    await sleep(Math.min(250, 5 * 2 ** attempt));
  }
}

export async function decide(
  writer: Writer,
  at: Address,
  drafts: readonly Draft[],
  fence: Fence,
  options: DecideOptions = {},
): Promise<{ readonly seq: number } | null> {
  const place = decisionPlace(at, drafts, fence);
  const encoded = await encodeAll(writer, at, drafts, place.subject);
  const stamp = {
    id: encoded.id,
    writer: writer.source,
    basis: fence.seq,
    chain: fence.chain,
    traceparent: options.traceparent ?? traceparent(),
    ...(options.decider === undefined ? {} : { decider: options.decider }),
    replay: options.replay,
  };
  const expected = { seq: fence.orchestratorSeq, filter: decisionFilter(at) };
  const { headers, sum } = factHeaders(place.subject, { ...at, ...place }, stamp, encoded.body, expected);
  writer.known.remember(sum, encoded.size, encoded.opened);
  const message = { subject: place.subject, body: encoded.body, headers };
  crashpoint(writer.source, 'deciding');
  const published = await publish(writer.connection, message, writer.patience);
  crashpoint(writer.source, 'decided');
  if (published.kind === 'taken') return ownDecision(writer, place, stamp.id, published.uncertain);
  if (encoded.items !== undefined) remember(writer, `${streamOf(at, writer.streams)}/${published.seq}`, encoded.items);
  return { seq: published.seq };
}

function decisionPlace(at: Address, drafts: readonly Draft[], fence: Fence): Place {
  const [only, second] = drafts;
  if (only === undefined) throw new LoomError('bad_request', 'a decision of nothing');
  const one = second === undefined;
  const type = one ? only.type : 'decision.made';
  const key = one ? only.key : String(fence.seq);
  return { at, subject: subjectOf(at, 'orchestrator', type, key), source: 'orchestrator', type, key };
}

async function encodeAll(
  writer: Writer,
  at: Address,
  drafts: readonly Draft[],
  subject: string,
): Promise<Encoded & { readonly items?: readonly EncodedItem[] }> {
  const [only, second] = drafts;
  if (only !== undefined && second === undefined) return encodeDraft(writer, at, 'orchestrator', only);
  return encodeDecision(writer, at, drafts, subject);
}

/**
 * The place is taken by this very decision, or by another's. A fact elsewhere under the filter leaves it empty.
 * What an earlier life stored holds other ciphertext than was encoded now: its items are not remembered, but read when wanted.
 */
async function ownDecision(
  writer: Writer,
  { at, subject }: Place,
  id: string,
  uncertain: boolean,
): Promise<{ readonly seq: number } | null> {
  const stream = streamOf(at, writer.streams);
  const holder = await (uncertain ? readBack(writer, at, subject) : directGet(writer.connection, stream, subject));
  return holder !== null && holder.headers?.get('ce-id') === id ? { seq: holder.seq } : null;
}

export async function dispatch(
  writer: Writer,
  at: Address,
  decision: Parameters<Log['dispatch']>[1],
): Promise<Appended> {
  const { seq, type, key, replay } = decision;
  const item = (await recall(writer, at, seq)).find((one) => one.type === type && one.key === key);
  if (item === undefined) throw new LoomError('not_found', `the decision at ${seq} holds no such item`);
  const subject = subjectOf(at, 'orchestrator', type, key);
  const id = createHash('sha256').update(`${subject}\n${seq}\n`).update(item.body).digest('hex');
  const stamp = { id, writer: writer.source, basis: seq, decision: seq, traceparent: traceparent(), replay };
  const opened = item.opened === undefined ? [] : [item.opened];
  const bytes = { body: item.body, opened, size: item.body.length };
  return appendUnique(writer, { at, subject, source: 'orchestrator', type, key }, bytes, stamp);
}

async function recall(writer: Writer, at: Address, seq: number): Promise<readonly EncodedItem[]> {
  const stream = streamOf(at, writer.streams);
  const known = writer.decisions.get(`${stream}/${seq}`);
  if (known !== undefined) return known;
  for (let attempt = 1; attempt <= readBackTries; attempt++) {
    const message = await messageAt(writer, stream, seq);
    if (message?.subject.startsWith(`${prefixOf(at)}.orchestrator.`))
      return remember(writer, `${stream}/${seq}`, itemsOf(message));
    if (message !== null) break;
    await sleep(Math.min(250, 5 * 2 ** attempt));
  }
  throw new LoomError('not_found', `there is no decision at ${seq}`);
}

const mostDecisions = 512;

function remember(writer: Writer, name: string, items: readonly EncodedItem[]): readonly EncodedItem[] {
  writer.decisions.set(name, items);
  const oldest = writer.decisions.keys().next().value;
  if (writer.decisions.size > mostDecisions && oldest !== undefined) writer.decisions.delete(oldest);
  return items;
}
