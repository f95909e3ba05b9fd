/** The headers of a fact: CloudEvents 1.0 in binary mode, and Loom's own. */
import type { FactType } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { headers as natsHeaders } from '@nats-io/nats-core';
import type { MsgHdrs } from '@nats-io/nats-core';
import { createHash } from 'node:crypto';
import type { Head } from './types.ts';
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
}

/** Sets everything but the expectation; `loom-sum` last, over all the others. */
export function factHeaders(subject: string, located: Located, stamp: Stamp, body: Uint8Array): MsgHdrs {
  const pairs: [string, string][] = [
    ['ce-specversion', '1.0'],
    ['ce-id', stamp.id],
    ['ce-type', `loom.${located.type}`],
    ['ce-source', stamp.writer],
    ['ce-time', new Date().toISOString()],
    ['ce-subject', contextOf(located, located.type, located.key)],
    ['ce-dataschema', schemaOf(body)],
    ['loom-basis', String(stamp.basis)],
  ];
  if (stamp.traceparent !== '') pairs.push(['traceparent', stamp.traceparent]);
  if (stamp.chain !== undefined) pairs.push(['loom-chain', stamp.chain]);
  if (stamp.decider !== undefined) pairs.push(['loom-decider', stamp.decider]);
  if (stamp.decision !== undefined) pairs.push(['loom-decision', String(stamp.decision)]);
  const result = natsHeaders();
  for (const [name, value] of pairs) result.set(name, value);
  result.set('loom-sum', sumOf(subject, pairs, body));
  return result;
}

/** Hex fingerprint of the schema that a single-object encoding names. */
export const schemaOf = (body: Uint8Array): string => Buffer.from(body.subarray(2, 10)).toString('hex');

/** The same expectation for a publish: last sequence of `filter`, or of the subject itself when there is none. */
export function expecting(headers: MsgHdrs, seq: number, filter?: string): MsgHdrs {
  headers.set('Nats-Expected-Last-Subject-Sequence', String(seq));
  if (filter !== undefined) headers.set('Nats-Expected-Last-Subject-Sequence-Subject', filter);
  return headers;
}

/** Hex SHA-256 over subject, headers by name (without `loom-sum` and NATS's own) and stored body. */
export function sumOf(subject: string, headers: Iterable<readonly [string, string]>, body: Uint8Array): string {
  const lines = [...headers].filter(([name]) => name !== 'loom-sum' && !name.startsWith('Nats-'));
  lines.sort(([a], [b]) => (a < b ? -1 : 1));
  const head = lines.map(([name, value]) => `${name}: ${value}\n`).join('');
  return createHash('sha256').update(`${subject}\n${head}\n`).update(body).digest('hex');
}

/** Checks the sum. @throws LoomError `damaged` naming stream and sequence */
export function verify(message: Stored): void {
  const pairs: [string, string][] = [];
  for (const [name, values] of message.headers ?? []) for (const value of values) pairs.push([name, value]);
  if (message.headers?.get('loom-sum') !== sumOf(message.subject, pairs, message.body))
    throw new LoomError('damaged', `the fact at ${message.stream} ${message.seq} does not have its sum`);
}

/** What headers and the server say of a fact. */
export function headOf(message: Stored, located: Located): Head & { readonly type: FactType } {
  const get = (name: string): string => message.headers?.get(name) ?? '';
  const decision = get('loom-decision');
  return {
    ...located,
    seq: message.seq,
    time: message.time,
    id: get('ce-id'),
    writer: get('ce-source'),
    basis: Number(get('loom-basis')),
    decision: decision === '' ? null : Number(decision),
    sum: get('loom-sum'),
    traceparent: get('traceparent'),
  };
}
