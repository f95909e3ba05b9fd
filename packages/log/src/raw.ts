/** Facts as they lie in the log, sums unverified and nothing opened: for those who check the log itself. */
import { clearOf, decodeWire } from '@loom/schemas';
import type { FactType } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { EncodedItem } from './encode.ts';
import { replayOf, sumOf } from './headers.ts';
import type { Log, ReadOptions } from './port.ts';
import { messages } from './read.ts';
import { generation, parseSubject, prefixOf, streamOf, wholeStream } from './subjects.ts';
import type { Stored } from './transport.ts';
import type { Address, Head, ParsedFact, RawItem } from './types.ts';

export interface RawFact {
  /** JetStream stream. */
  readonly stream: string;
  readonly seq: number;
  /** Unix ms, the server's. */
  readonly time: number;
  readonly subject: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

type From = Pick<Log, 'connection' | 'streams'>;

/** All facts of one JetStream stream, of one job in it, or of one address, in order. @throws LoomError `log_unavailable` */
export async function* readRaw(
  log: From,
  from: string | Address,
  options: ReadOptions & { readonly job?: string } = {},
): AsyncGenerator<RawFact> {
  const whole = typeof from === 'string';
  const stream = whole ? from : streamOf(from, log.streams.length);
  const ofJob = options.job === undefined ? wholeStream : `loom.${generation}.*.*.${options.job}.>`;
  const filter = whole ? ofJob : `${prefixOf(from)}.>`;
  for await (const stored of messages(log, stream, filter, options)) yield rawOf(stored);
}

function rawOf({ stream, seq, time, subject, headers, body }: Stored): RawFact {
  return { stream, seq, time, subject, headers: headers?.pairs ?? [], body };
}

/** Last sequence of a stream now. @throws LoomError `log_unavailable` */
export async function lastSeqOf({ connection }: From, stream: string): Promise<number> {
  const reply = await connection
    .request(`$JS.API.STREAM.INFO.${stream}`, '', { timeout: 5000 })
    .catch((cause: unknown) => {
      throw new LoomError('log_unavailable', `no word on the stream ${stream}`, { cause });
    });
  return reply.json<{ state?: { last_seq?: number } }>().state?.last_seq ?? 0;
}

/** The sum that a fact should carry in `loom-sum`, hex. */
export const sumOfRaw = ({ subject, headers, body }: RawFact): string => sumOf(subject, headers, body);

/** @throws LoomError `undecodable`, `unknown_schema` */
export function parseRaw(raw: RawFact): ParsedFact {
  const located = parseSubject(raw.subject);
  const get = (name: string): string => raw.headers.find(([other]) => other === name)?.[1] ?? '';
  const decision = get('loom-decision');
  const head = {
    ...located,
    seq: raw.seq,
    time: raw.time,
    id: get('ce-id'),
    writer: get('ce-source'),
    basis: Number(get('loom-basis')),
    decision: decision === '' ? null : Number(decision),
    sum: get('loom-sum'),
    traceparent: get('traceparent'),
    ...replayOf(get('loom-replay')),
    chain: get('loom-chain'),
    decider: get('loom-decider'),
    ceType: get('ce-type'),
    ceSubject: get('ce-subject'),
  };
  return { ...head, ...sayings(raw, head) };
}

function sayings(
  raw: RawFact,
  head: Pick<Head, 'key' | 'decision'> & { readonly type: FactType },
): Pick<ParsedFact, 'items' | 'said'> {
  if (head.type !== 'decision.made') {
    const said = rawItem({ type: head.type, key: head.key, body: raw.body }, `${raw.seq}.0`);
    return { items: head.decision === null ? [said] : [], said };
  }
  const { type, wire } = decodeWire(raw.body);
  if (type !== head.type) throw new LoomError('undecodable', `the body is a ${type}`);
  const items = wire['items'] as readonly EncodedItem[];
  return { items: items.map((item, i) => rawItem(item, `${raw.seq}.${i}`)), said: null };
}

interface Bytes {
  readonly type: FactType;
  readonly key: string;
  readonly body: Uint8Array;
}

function rawItem({ type, key, body: bytes }: Bytes, id: string): RawItem {
  const { type: found, wire } = decodeWire(bytes);
  if (found !== type) throw new LoomError('undecodable', `the body is a ${found}, it should be a ${type}`);
  return { type, key, id, body: clearOf(type, wire), bytes, wire } as RawItem;
}
