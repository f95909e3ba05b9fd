/** The headers of a fact: CloudEvents 1.0 in binary mode, and Loom's own. */
import type { FactType } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { hash } from 'node:crypto';
import { Block } from './block.ts';
import type { Pair } from './block.ts';
import type { Head, Replay } from './types.ts';
import { contextOf } from './subjects.ts';
import type { Located } from './subjects.ts';
import type { Stored } from './transport.ts';

export interface Stamp {
  /** `ce-id` */
  readonly id: string;
  /** `ce-source`: the service that writes. */
  readonly writer: string;
  readonly basis: number;
  readonly traceparent: string;
  readonly chain?: string;
  readonly decider?: string;
  readonly decision?: number;
  readonly replay?: Replay | undefined;
}

/** A fact's headers and the sum that is among them. */
export interface Stamped {
  readonly headers: Block;
  /** `loom-sum`, hex. */
  readonly sum: string;
}

/** What an append expects: the last sequence of `filter`, or of the subject itself when there is none. */
export interface Expected {
  readonly seq: number;
  readonly filter?: string | undefined;
}

export function factHeaders(
  subject: string,
  located: Located,
  stamp: Stamp,
  body: Uint8Array,
  expected: Expected,
): Stamped {
  const pairs = said(located, stamp, body);
  const sum = sumOf(subject, pairs, body);
  return { headers: new Block([...pairs, ['loom-sum', sum], ...expecting(expected)]), sum };
}

/** In the order of their names, as the sum wants them. */
function said(located: Located, stamp: Stamp, body: Uint8Array): Pair[] {
  const pairs: Pair[] = [
    ['ce-dataschema', schemaOf(body)],
    ['ce-id', stamp.id],
    ['ce-source', stamp.writer],
    ['ce-specversion', '1.0'],
    ['ce-subject', contextOf(located, located.type, located.key)],
    ['ce-time', new Date().toISOString()],
    ['ce-type', `loom.${located.type}`],
    ['loom-basis', String(stamp.basis)],
  ];
  if (stamp.chain !== undefined) pairs.push(['loom-chain', stamp.chain]);
  if (stamp.decider !== undefined) pairs.push(['loom-decider', stamp.decider]);
  if (stamp.decision !== undefined) pairs.push(['loom-decision', String(stamp.decision)]);
  if (stamp.replay !== undefined) pairs.push(['loom-replay', stamp.replay]);
  if (stamp.traceparent !== '') pairs.push(['traceparent', stamp.traceparent]);
  return pairs;
}

/** Hex fingerprint of the schema that a single-object encoding names. */
export const schemaOf = (body: Uint8Array): string => Buffer.from(body.subarray(2, 10)).toString('hex');

/** The headers of an expectation. */
export function expecting({ seq, filter }: Expected): readonly Pair[] {
  const last: Pair = ['Nats-Expected-Last-Subject-Sequence', String(seq)];
  return filter === undefined ? [last] : [last, ['Nats-Expected-Last-Subject-Sequence-Subject', filter]];
}

/** Hex SHA-256 over subject, headers by name (without `loom-sum` and NATS's own) and stored body. */
export function sumOf(subject: string, headers: Iterable<Pair>, body: Uint8Array): string {
  const lines: Pair[] = [];
  let sorted = true;
  for (const pair of headers) {
    if (pair[0] === 'loom-sum' || pair[0].startsWith('Nats-')) continue;
    const before = lines.at(-1);
    sorted &&= before === undefined || before[0] <= pair[0];
    lines.push(pair);
  }
  if (!sorted) lines.sort(([a], [b]) => (a < b ? -1 : 1));
  let head = `${subject}\n`;
  for (const [name, value] of lines) head += `${name}: ${value}\n`;
  return hash('sha256', inOnePiece(`${head}\n`, body), 'hex');
}

/** Overwritten by the next sum: a buffer for each of them would take longer than its hashing. */
let piece = Buffer.allocUnsafeSlow(65_536);

function inOnePiece(head: string, body: Uint8Array): Buffer {
  const most = 3 * head.length + body.length;
  if (most > piece.length) piece = Buffer.allocUnsafeSlow(2 * most);
  const length = piece.write(head);
  piece.set(body, length);
  return piece.subarray(0, length + body.length);
}

/** Checks the sum. @throws LoomError `damaged` naming stream and sequence */
export function verify(message: Stored): void {
  const { headers, subject, body } = message;
  const sum = headers?.get('loom-sum');
  if (
    headers === undefined ||
    (sum !== sumAsWritten(subject, headers, body) && sum !== sumOf(subject, headers.pairs, body))
  )
    throw new LoomError('damaged', `the fact at ${message.stream} ${message.seq} does not have its sum`);
}

/**
 * The sum over the headers' own text, where it is spelled as this package spells it: what the sum covers, in order, then the sum, then NATS's
 * own. Nearly all are. Equal to `loom-sum` it says as much as `sumOf`; anything else says nothing.
 */
function sumAsWritten(subject: string, headers: Block, body: Uint8Array): string | null {
  const lines = headers.linesBefore('loom-sum', 'Nats-');
  return lines === null ? null : hash('sha256', inOnePiece(`${subject}\n${lines}\n`, body), 'hex');
}

/** Checks that the headers tell of the fact that the subject names. @throws LoomError `wrong_tenant`, `undecodable` */
export function agree({ headers, stream, seq }: Stored, located: Located): void {
  const about = headers?.get('ce-subject') ?? '';
  if (!about.startsWith(`${located.tenant}/`))
    throw new LoomError('wrong_tenant', `the fact at ${stream} ${seq} names another tenant than its subject`);
  if (about !== contextOf(located, located.type, located.key) || headers?.get('ce-type') !== `loom.${located.type}`)
    throw new LoomError('undecodable', `the headers of ${stream} ${seq} tell of another fact than its subject`);
}

/** What headers and the server say of a fact. */
export function headOf(message: Stored, located: Located): Head & { readonly type: FactType } {
  const get = (name: string): string => message.headers?.get(name) ?? '';
  const decision = get('loom-decision');
  const { tenant, stream, source, type, key } = located;
  return {
    tenant,
    stream,
    source,
    type,
    key,
    seq: message.seq,
    time: message.time,
    id: get('ce-id'),
    writer: get('ce-source'),
    basis: Number(get('loom-basis')),
    decision: decision === '' ? null : Number(decision),
    sum: get('loom-sum'),
    traceparent: get('traceparent'),
    ...replayOf(get('loom-replay')),
  };
}

/** What `loom-replay` says, as a part of a head. */
export const replayOf = (value: string): Pick<Head, 'replay'> =>
  value === 'playback' || value === 're-execute' ? { replay: value } : {};
