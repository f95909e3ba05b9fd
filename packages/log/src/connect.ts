/** Puts the log together: one connection, one keyring, one writer. */
import type { Blobs } from '@loom/blobs';
import { LoomError } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { append, decide, dispatch } from './append.ts';
import type { Writer } from './append.ts';
import { consumeBatches } from './batches.ts';
import { ServerClock } from './clock.ts';
import { consume } from './consume.ts';
import { readFed } from './fed.ts';
import { Feed } from './feed.ts';
import { headOf } from './headers.ts';
import { watch } from './hints.ts';
import { callKeyring, noKeys, vaultKeys } from './keyring.ts';
import type { Keyring } from './keyring.ts';
import { Known } from './known.ts';
import { live, onLive } from './live.ts';
import { connectNats } from './nats.ts';
import { clearFact, openFact } from './open.ts';
import { openParsed } from './opener.ts';
import { flushOutbox } from './outbox.ts';
import type { Log, LogOptions } from './port.ts';
import { getLastRaw, getRaw, read, readClear, tail } from './read.ts';
import { scan } from './scan.ts';
import { SharedReads } from './shared.ts';
import { checkEcho, checkVersion, eventStream } from './streams.ts';
import { parseSubject, streamNames } from './subjects.ts';
import { snapshotsOf } from './snapshots.ts';
import { armTimer, consumeTimers } from './timers.ts';
import { enquire } from './transport.ts';
import type { Stored } from './transport.ts';
import type { ClearFact, Fact } from './types.ts';

/** @throws LoomError `server_too_old`, `setting_not_echoed`, `part_missing`, `log_unavailable` */
export async function connectLog(options: LogOptions): Promise<Log> {
  return openLog(await connectNats(options), options);
}

/** The log behind a connection, which it owns from here on. @throws as `connectLog` */
export async function openLog(
  connection: NatsConnection,
  options: Omit<LogOptions, 'servers' | 'user' | 'password'>,
): Promise<Log> {
  const streams = options.streams ?? 4;
  try {
    checkVersion(connection.info?.version ?? '0');
    const found = await checkStreams(connection, streams);
    const writer: Writer = {
      connection,
      source: options.source,
      streams,
      // The sandbox's rights name subjects, and a question to the leader names none.
      asksLeader: found.replicated && options.source !== 'sandbox',
      patience: options.patience ?? 30_000,
      keyring: await keyringOf(options, connection),
      blobs: await blobsOf(options, connection),
      known: new Known(),
      decisions: new Map(),
    };
    return logOf(writer, found);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

type Opening = Parameters<typeof openLog>[1];

async function keyringOf({ vault, callKeys }: Opening, connection: NatsConnection): Promise<Keyring> {
  if (vault !== undefined) return vaultKeys(typeof vault === 'function' ? await vault(connection) : vault);
  return callKeys === undefined ? noKeys : callKeyring(callKeys);
}

async function blobsOf({ blobs }: Opening, connection: NatsConnection): Promise<Blobs | null> {
  return typeof blobs === 'function' ? blobs(connection) : (blobs ?? null);
}

interface StreamInfo {
  /** The server's time. */
  readonly ts?: string;
  readonly config?: { readonly num_replicas?: number; readonly metadata?: Readonly<Record<string, string>> };
}

interface Streams {
  /** By name. */
  readonly incarnations: ReadonlyMap<string, string>;
  readonly replicated: boolean;
  /** Made as its first reading comes: what is opened meanwhile would count as time that has not passed. */
  readonly clock: ServerClock;
}

const askStream = (connection: NatsConnection, name: string): Promise<StreamInfo> =>
  enquire<StreamInfo>(connection, `STREAM.INFO.${name}`);

const timeOf = async (connection: NatsConnection): Promise<number> =>
  toldTime(await askStream(connection, streamNames(1)[0]!));

/** @throws LoomError `setting_not_echoed` for a server that does not tell its time */
function toldTime({ ts = '' }: StreamInfo): number {
  const time = Date.parse(ts);
  if (Number.isFinite(time)) return time;
  throw new LoomError('setting_not_echoed', 'the server does not tell its time');
}

/** The streams are there and hold every setting asked for. */
async function checkStreams(connection: NatsConnection, streams: number): Promise<Streams> {
  const incarnations = new Map<string, string>();
  let replicated = false;
  let time = 0;
  for (const [index, name] of streamNames(streams).entries()) {
    const info = await askStream(connection, name);
    const { config } = info;
    if (config === undefined) throw new LoomError('part_missing', `there is no stream ${name}: run the set-up`);
    checkEcho(name, eventStream(index, streams), config);
    incarnations.set(name, config.metadata?.['loom.incarnation'] ?? '');
    replicated ||= (config.num_replicas ?? 1) > 1;
    time = toldTime(info);
  }
  return { incarnations, replicated, clock: new ServerClock(time, () => timeOf(connection)) };
}

function logOf(writer: Writer, { incarnations, replicated, clock }: Streams): Log {
  const { connection, keyring } = writer;
  const feed = new Feed();
  const shared = new SharedReads(writer);
  const incarnation = (stream: string): string => incarnations.get(stream) ?? '';
  return {
    connection,
    streams: streamNames(writer.streams),
    replicated,
    now: () => clock.now(),
    incarnation,
    snapshots: snapshotsOf({ ...writer, incarnation }),
    append: (to, draft, options) => append(writer, to, draft, options),
    decide: (to, drafts, fence, options) => decide(writer, to, drafts, fence, options),
    dispatch: (to, decision) => dispatch(writer, to, decision),
    read: (at, options) => read(writer, at, options),
    open: (fact) => openParsed(writer, fact),
    readFed: (at, options) => readFed(writer, feed, at, options),
    readShared: (at, options) => shared.read(at, options),
    readClear: (at, options) => readClear(writer, at, options),
    tail: (stream, options) => tail(writer, stream, options),
    ...singleFacts(writer),
    consume: consumeWith(writer, feed),
    consumeBatches: (options) => consumeBatches(writer, options),
    scan: (source, type, cursor) => scan(writer, source, type, cursor),
    watch: (handler) => watch(connection, writer.source, handler),
    live: (...place) => live(connection, keyring, place),
    onLive: (tenant, job, handler) => onLive(connection, keyring, [tenant, job], handler),
    armTimer: (at, timer) => armTimer(connection, at, timer, writer.patience),
    consumeTimers: (handle, signal) => consumeTimers(connection, handle, signal),
    [Symbol.asyncDispose]: () => end(connection),
  };
}

function singleFacts(writer: Writer): Pick<Log, 'get' | 'getClear' | 'getLastClear'> {
  const clear = async (found: Promise<Stored | null>): Promise<ClearFact | null> => {
    const message = await found;
    return message === null ? null : clearFact(message);
  };
  return {
    async get(...place) {
      const message = await getRaw(writer, ...place);
      return message === null ? null : openFact(writer, message);
    },
    getClear: (...place) => clear(getRaw(writer, ...place)),
    getLastClear: (...place) => clear(getLastRaw(writer, ...place)),
  };
}

/** Says what is still to be said; without a server, or closed already, there is nobody to say it to. */
async function end(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  flushOutbox(connection);
  await connection.drain().catch(() => connection.close());
}

function consumeWith(writer: Writer, feed: Feed): Log['consume'] {
  return (options) => {
    if (options.open === 'head') return consume(writer, options, (message) => Promise.resolve(head(message)), feed);
    if (options.open) return consume(writer, options, (message) => handed(writer, message), feed);
    return consume(writer, options, (message) => Promise.resolve(clearFact(message)), feed);
  };
}

/** Who is handed a fact reads its job next, and it is among what they read: it is opened once. What was opened at once holds no claimed fields, so its size is its own. */
async function handed(writer: Writer, message: Stored): Promise<Fact> {
  const opened = openFact(writer, message);
  if (opened instanceof Promise) return opened;
  const { sum, said, items } = opened;
  writer.known.remember(sum, message.body.length, said === null ? items : [said]);
  return opened;
}

const head = (message: Stored): ReturnType<typeof headOf> => headOf(message, parseSubject(message.subject));
