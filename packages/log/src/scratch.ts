/**
 * A stream beside Loom's own that a span of the log is served into again, and read back from.
 * V1  Its subjects are `replay.<name>.<k>.<subject>`, k the index of the event stream: no service hears or reads them, so nothing is done again.
 * V2  A copy has the headers and the body of its fact, byte for byte; `loom-sum` is over the fact's own subject, and holds. Where it lay is in NATS's
 *     own header `Nats-Msg-Id: <stream> <sequence> <ms>`, which no sum covers.
 * V3  Copies are appended in order, each fenced by the stream's last sequence: what is there is always a beginning of the span, without gap or repeat,
 *     whenever the one who serves is killed. Where to go on is read from it.
 */
import { LoomError } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { Block } from './block.ts';
import { connectNats } from './nats.ts';
import type { RawFact } from './raw.ts';
import { messages } from './read.ts';
import type { Span } from './span.ts';
import { scratchStream } from './streams.ts';
import { streamNames } from './subjects.ts';
import { directLast, enquire, publish } from './transport.ts';

export interface Scratch extends AsyncDisposable {
  /** What is served: the span as it was begun. */
  readonly span: Span;
  /** Copies that it holds. */
  count(): Promise<number>;
  /** Last sequence copied of each event stream. */
  positions(): Promise<Map<string, number>>;
  /** All of them in order, or a beginning of them. @throws LoomError `log_unavailable`: begin again at `positions` */
  take(facts: readonly RawFact[]): Promise<void>;
  /** All copies in order, as the facts that they are of. */
  read(): AsyncIterable<RawFact>;
}

export interface ScratchOptions {
  readonly servers: string;
  /** Of the user `setup`. */
  readonly password: string;
  readonly streams: number;
  readonly name: string;
  readonly span: Span;
  /** Whether `span.until` is meant; else the end that an earlier run was begun with holds. */
  readonly bounded: boolean;
}

interface StreamInfo {
  readonly config?: { readonly metadata?: Readonly<Record<string, string>> };
  readonly state?: { readonly last_seq: number };
  readonly error?: { readonly code: number; readonly description?: string };
}

const own = /^(LOOM|KV|OBJ|MQTT|\$)/i;

/** Makes the stream, or finds the one that an earlier run made for the same span. @throws LoomError `bad_request` for a name that is not free, `log_unavailable` */
export async function openScratch(options: ScratchOptions): Promise<Scratch> {
  const { servers, password, name } = options;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name) || own.test(name))
    throw new LoomError(
      'bad_request',
      `${name} cannot name a scratch stream: letters, digits, _ and -, and no LOOM, KV or OBJ in front`,
    );
  const connection = await connectNats({ servers, user: 'setup', password });
  try {
    return scratchOf(connection, { ...options, span: await ensure(connection, options) });
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

const spanKey = 'loom.span';

/** The stream is there; the span that it is of. */
async function ensure(connection: NatsConnection, { name, span, bounded }: ScratchOptions): Promise<Span> {
  const said = (await found(connection, name, span)).config?.metadata?.[spanKey];
  if (said === undefined)
    throw new LoomError('bad_request', `${name} is there and was not made by replay; choose another name`);
  const held = JSON.parse(said) as Span;
  if (held.since === span.since && held.tenant === span.tenant && (!bounded || held.until === span.until)) return held;
  const hint = 'name the same to go on with it, or another stream';
  throw new LoomError('bad_request', `${name} holds another span: ${said} (Unix ms); ${hint}`);
}

/** Makes it when it is not there. */
async function found(connection: NatsConnection, name: string, span: Span): Promise<StreamInfo> {
  const there = await enquire<StreamInfo>(connection, `STREAM.INFO.${name}`);
  if (there.error?.code !== 404) return there;
  const wish = { ...scratchStream(name), metadata: { [spanKey]: JSON.stringify(span) } };
  const made = await enquire<StreamInfo>(connection, `STREAM.CREATE.${name}`, wish);
  if (made.error === undefined) return made;
  throw new LoomError('log_unavailable', `the stream ${name}: ${made.error.description ?? 'refused'}`);
}

function scratchOf(connection: NatsConnection, { name, streams, span }: ScratchOptions): Scratch {
  const events = streamNames(streams);
  let last = 0;
  const count = async (): Promise<number> =>
    (await enquire<StreamInfo>(connection, `STREAM.INFO.${name}`)).state?.last_seq ?? 0;
  return {
    span,
    count,
    async positions() {
      last = await count();
      const found = await Promise.all(events.map((_, k) => directLast(connection, name, `${prefixOf(name, k)}>`)));
      return new Map(
        found
          .flatMap((copy) => (copy === null ? [] : [originOf(copy.headers)]))
          .map(({ stream, seq }) => [stream, seq]),
      );
    },
    async take(facts) {
      const first = last;
      const sent = await Promise.all(
        facts.map((fact, i) => publish(connection, copyOf(fact, name, events, first + i), patience)),
      );
      if (sent.some(({ kind }) => kind === 'taken'))
        throw new LoomError('log_unavailable', `copies of ${name} were lost on the way`);
      last += facts.length;
    },
    async *read() {
      for await (const { subject, headers, body } of messages({ connection }, name, `${prefixOf(name)}>`, {})) {
        const { stream, seq, time } = originOf(headers);
        const pairs = (headers?.pairs ?? []).filter(([header]) => !header.startsWith('Nats-'));
        yield { stream, seq, time, subject: subject.split('.').slice(3).join('.'), headers: pairs, body };
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

const patience = 10_000;
const prefixOf = (name: string, k?: number): string => `replay.${name}.${k === undefined ? '' : `${k}.`}`;

function copyOf(
  { stream, seq, time, subject, headers, body }: RawFact,
  name: string,
  events: readonly string[],
  after: number,
): Parameters<typeof publish>[1] {
  const pairs = headers.filter(([header]) => !header.startsWith('Nats-'));
  const fence = ['Nats-Expected-Last-Sequence', String(after)] as const;
  const origin = ['Nats-Msg-Id', `${stream} ${seq} ${time}`] as const;
  return {
    subject: `${prefixOf(name, events.indexOf(stream))}${subject}`,
    body,
    headers: new Block([...pairs, fence, origin]),
  };
}

function originOf(headers: Block | undefined): {
  readonly stream: string;
  readonly seq: number;
  readonly time: number;
} {
  const [stream = '', seq, time] = headers?.get('Nats-Msg-Id')?.split(' ') ?? [];
  return { stream, seq: Number(seq), time: Number(time) };
}
