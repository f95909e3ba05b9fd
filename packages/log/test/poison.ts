/** Messages that nobody can handle, one of each kind: made of a good request of a runner's tool, by a writer with a fault or by damage. */
import { decodeWire, encodeWire, schemas } from '@loom/schemas';
import { hash, randomBytes } from 'node:crypto';
import { sumOf } from '../src/headers.ts';
import { partitionOf, prefixOf } from '../src/index.ts';
import type { Address, RawFact } from '../src/index.ts';

export interface Message {
  readonly subject: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

export interface Poison {
  readonly kind: string;
  /** What the runner parks it for; null: it is never handed that. */
  readonly opened: string | null;
  /** What a projection parks it for; null: clear fields alone can be taken. */
  readonly clear: string | null;
  /** A message under `subject` made of a good one of another job. */
  readonly make: (good: RawFact, subject: string, at: Address) => Message;
}

type Bytes = (body: Buffer) => Uint8Array;

/** Headers that tell of the subject, with a sum that holds. */
export function whole(
  good: RawFact,
  subject: string,
  body: Uint8Array,
  changes: Record<string, string | null> = {},
): Message {
  const tokens = subject.split('.');
  const [tenant, stream, , noun, verb, key] = tokens.slice(3);
  const own = {
    'ce-subject': `${tenant}/${stream}/${noun}.${verb}/${key}`,
    'ce-type': `loom.${noun}.${verb}`,
    ...changes,
  };
  const pairs = new Map(good.headers.filter(([name]) => name !== 'loom-sum'));
  for (const [name, value] of Object.entries(own))
    if (value === null) pairs.delete(name);
    else pairs.set(name, value);
  const headers = [...pairs].filter(([name]) => !name.startsWith('Nats-'));
  return { subject, body, headers: [...headers, ['loom-sum', sumOf(subject, headers, body)]] };
}

const both = (kind: string, reason: string, bytes: Bytes): Poison => ({
  kind,
  opened: reason,
  clear: reason,
  make: (good, subject) => whole(good, subject, bytes(Buffer.from(good.body))),
});

const undecodable = (kind: string, bytes: Bytes): Poison => both(kind, 'undecodable', bytes);

const headed = (body: Buffer, rest: Uint8Array): Buffer => Buffer.concat([body.subarray(0, 10), rest]);

/** Of the fact's first field, a string: its length and what follows. */
const first = (body: Buffer, length: readonly number[], text: Uint8Array): Buffer =>
  headed(body, Buffer.concat([Buffer.from(length), text, body.subarray(13)]));

const damaged = (kind: string, change: (message: Message) => Message): Poison => ({
  kind,
  opened: 'damaged',
  clear: 'damaged',
  make: (good, subject) => change(whole(good, subject, good.body)),
});

const telling = (kind: string, reason: string, changes: Record<string, string | null>): Poison => ({
  kind,
  opened: reason,
  clear: reason,
  make: (good, subject) => whole(good, subject, good.body, changes),
});

const under = (
  kind: string,
  change: (subject: string, at: Address) => string,
  opened: string | null = 'undecodable',
): Poison => ({
  kind,
  opened,
  clear: 'undecodable',
  make: (good, subject, at) => whole(good, change(subject, at), good.body),
});

/** What this schema will be once it has a field more, and a value of it. */
function future(body: Buffer): Uint8Array {
  const own = schemas.get(body.toString('hex', 2, 10))?.avsc as { readonly fields: readonly object[] };
  const next = { ...own, fields: [...own.fields, { name: 'priority', type: 'int', default: 0 }] };
  const print = hash('sha256', JSON.stringify(next), 'buffer').subarray(0, 8);
  return Buffer.concat([Buffer.from([0xc3, 0x01]), print, body.subarray(10), Buffer.from([0])]);
}

const decision = (items: readonly { type: string; key: string; body: Buffer }[]): Buffer =>
  encodeWire('decision.made', { items } as Parameters<typeof encodeWire>[1]);

/** A decision under its own subject, which the runner is never handed. */
const decided = (kind: string, reason: string, items: (good: Buffer) => Parameters<typeof decision>[0]): Poison => ({
  kind,
  opened: null,
  clear: reason,
  make: (good, subject) => {
    const own = subject.replace(/tool\.requested\.[^.]+$/, 'decision.made.7');
    const body = decision(items(Buffer.from(good.body)));
    const changes = { 'ce-dataschema': body.toString('hex', 2, 10), 'loom-decision': null };
    return whole(good, own, body, changes);
  },
});

const sealedWrong = (kind: string, change: (sealed: Buffer) => Buffer): Poison => ({
  kind,
  opened: 'bad_seal',
  clear: null,
  make: (good, subject) => {
    const { wire } = decodeWire(good.body);
    return whole(good, subject, encodeWire('tool.requested', { ...wire, args: change(wire['args'] as Buffer) }));
  },
});

const largest = 1_040_000;

export const poisons: readonly Poison[] = [
  undecodable('nothing at all', () => Buffer.alloc(0)),
  undecodable('one byte', () => Buffer.from([0xc3])),
  undecodable('the mark alone', () => Buffer.from([0xc3, 0x01])),
  undecodable('half a fingerprint', (body) => body.subarray(0, 6)),
  undecodable('a fingerprint and nothing behind it', (body) => body.subarray(0, 10)),
  undecodable('another mark', (body) => Buffer.concat([Buffer.from([0xc3, 0x02]), body.subarray(2)])),
  undecodable('JSON', () => Buffer.from('{"agent":"a1","tool":"list_files"}')),
  undecodable('bad JSON', () => Buffer.from('{"agent":')),
  undecodable('plain words', () => Buffer.from('please run this')),
  undecodable('bytes that are no UTF-8', () => Buffer.from([0xff, 0xfe, 0x80, 0xc0])),
  undecodable('a megabyte of zeros', () => Buffer.alloc(largest)),
  undecodable('a megabyte of noise', () => Buffer.concat([Buffer.from([0xff]), randomBytes(largest)])),
  undecodable('a megabyte behind a good head', (body) => headed(body, Buffer.alloc(largest, 1))),
  undecodable('JSON ten thousand deep', () => Buffer.from('['.repeat(10_000) + ']'.repeat(10_000))),
  both('a fingerprint that nobody knows', 'unknown_schema', (body) =>
    Buffer.concat([body.subarray(0, 2), Buffer.alloc(8, 7), body.subarray(10)]),
  ),
  both('a version of the schema to come', 'unknown_schema', future),
  undecodable('another fact than the subject says', () => encodeWire('epoch.raised', { epoch: 1, reason: 'killed' })),
  undecodable('cut in the first quarter', (body) => body.subarray(0, 10 + ((body.length - 10) >> 2))),
  undecodable('cut in the middle', (body) => body.subarray(0, 10 + ((body.length - 10) >> 1))),
  undecodable('cut by one byte', (body) => body.subarray(0, -1)),
  undecodable('a byte too many', (body) => Buffer.concat([body, Buffer.from([0])])),
  undecodable('said twice', (body) => Buffer.concat([body, body])),
  undecodable('a text of negative length', (body) => first(body, [0x03], Buffer.from('a1'))),
  undecodable('a text longer than the message', (body) => first(body, [0xfe, 0xff, 0x7f], Buffer.from('a1'))),
  undecodable('a length of too many bytes', (body) => first(body, Array<number>(11).fill(0xff), Buffer.from('a1'))),
  undecodable('a text that is no UTF-8', (body) => first(body, [0x04], Buffer.from([0xc3, 0x28]))),
  undecodable('a text with half a surrogate', (body) => first(body, [0x06], Buffer.from([0xed, 0xa0, 0x80]))),
  damaged('one bit flipped', (message) => {
    const body = Buffer.from(message.body);
    body[body.length >> 1]! ^= 1;
    return { ...message, body };
  }),
  damaged('a sum of something else', (message) => ({
    ...message,
    headers: message.headers.map(([name, value]) => [name, name === 'loom-sum' ? 'f'.repeat(64) : value] as const),
  })),
  damaged('no sum', (message) => ({ ...message, headers: message.headers.filter(([name]) => name !== 'loom-sum') })),
  damaged('no headers', (message) => ({ ...message, headers: [] })),
  damaged('a header more than was signed', (message) => ({
    ...message,
    headers: [['loom-decision', '3'], ...message.headers],
  })),
  telling('another tenant in its headers than in its subject', 'wrong_tenant', {
    'ce-subject': 'tother/job_0a/tool.requested/a1-1-0-1',
  }),
  telling('no tenant in its headers', 'wrong_tenant', { 'ce-subject': null }),
  telling('another job in its headers', 'undecodable', { 'ce-subject': 'tacme/job_0a/tool.requested/a1-1-0-1' }),
  telling('another type in its headers', 'undecodable', { 'ce-type': 'loom.tool.settled' }),
  telling('no type in its headers', 'undecodable', { 'ce-type': null }),
  under('a partition that is not its job’s', (subject, at) =>
    subject.replace(/^loom\.0\.\d+\./, `loom.0.${(partitionOf(at.stream, at.tenant) + 4) % 64}.`),
  ),
  under('a key that no subject may hold', (subject) => `${subject}%`),
  under('a tenant in capitals', (subject) => subject.replace('.tacme.', '.TACME.')),
  under('a type that nobody knows', (subject) => subject.replace('tool.requested', 'tool.demanded'), null),
  under('too few tokens', (_, at) => `${prefixOf(at)}.orchestrator.requested`, null),
  under('tokens beyond the key', (subject) => `${subject}.more`, null),
  sealedWrong('content sealed for another place', (sealed) => sealed),
  sealedWrong('sealed bytes with a bit flipped', (sealed) => {
    const other = Buffer.from(sealed);
    other[other.length - 1]! ^= 1;
    return other;
  }),
  sealedWrong('nothing where content was sealed', () => Buffer.alloc(0)),
  sealedWrong('content that was not sealed', () => Buffer.from('{"path":"."}')),
  decided('a decision that holds a decision', 'undecodable', (good) => [
    { type: 'decision.made', key: '1', body: decision([{ type: 'tool.requested', key: 'a1-1-0-1', body: good }]) },
  ]),
  decided('a decision whose item is another than it says', 'undecodable', (good) => [
    { type: 'run.requested', key: 'a1-1-0-1', body: good },
  ]),
  decided('a decision with an item of a schema to come', 'unknown_schema', (good) => [
    { type: 'tool.requested', key: 'a1-1-0-1', body: Buffer.from(future(good)) },
  ]),
];
