/**
 * Owns objects in a JetStream Object Store bucket: chunks and a meta message, in the layout of @nats-io/obj. Does not
 * know what the bytes are.
 *
 * 1. An object's name holds the SHA-256 of its bytes; a name is written once, what it stands for never changes.
 * 2. The meta message comes last and alone makes the object exist; chunks without one are leftovers of a failed write.
 * 3. Reads need no consumer: direct get by subject for the meta, direct batch get for the chunks. Writes are publishes.
 */
import { LoomError } from '@loom/service';
import { JetStreamApiError, type JetStreamClient, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import { errors, headers, nuid } from '@nats-io/nats-core';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { base64url, chunkSubject, metaSubject, streamOf } from './bucket.ts';

/** Size of a chunk, bytes. */
const chunkSize = 128 * 1024;
/** Chunks on their way at once: 2 MiB. */
const window = 16;
/** Chunks asked for at once: 4 MiB. */
const batch = 32;
/** Tries of a write that got no answer. */
const writes = 3;
/** Waits between reads that find nothing, ms: a replica may be behind for a moment. */
const patience = [25, 50, 100, 200] as const;
const timeout = 10_000;

interface Meta {
  readonly name: string;
  readonly bucket: string;
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
  readonly digest: string;
  readonly deleted?: boolean;
}

/** Where a stored message is, and its bytes. */
type Chunk = Pick<StoredMsg, 'seq' | 'data'>;

export class ObjectStore {
  readonly #js: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #bucket: string;

  constructor(js: JetStreamClient, manager: JetStreamManager, bucket: string) {
    this.#js = js;
    this.#manager = manager;
    this.#bucket = bucket;
  }

  /**
   * Stores what `parts` yields as `<prefix>/<SHA-256>` and answers the name; `parts` is called again for every try.
   * @throws LoomError `log_unavailable`
   */
  async put(prefix: string, parts: () => Iterable<Buffer>): Promise<string> {
    for (let left = writes; ; left--) {
      try {
        return await this.#write(prefix, parts());
      } catch (cause) {
        if (left <= 1 || cause instanceof JetStreamApiError || isDenied(cause)) throw failure(cause);
      }
    }
  }

  async has(name: string): Promise<boolean> {
    return (await this.#meta(name)) !== null;
  }

  /** Hands the bytes to `take` piece by piece, in order. @throws LoomError `blob_missing`, `blob_damaged` */
  async read(name: string, take: (piece: Uint8Array, size: number) => void): Promise<void> {
    const meta = await this.#patiently(() => this.#meta(name));
    if (meta === null) throw new LoomError('blob_missing');
    const hash = createHash('sha256');
    let size = 0;
    for await (const { data } of this.#chunks(meta)) {
      size += data.length;
      if (size > meta.size) break;
      hash.update(data);
      take(data, meta.size);
    }
    if (size !== meta.size || !name.endsWith(`/${hash.digest('hex')}`)) throw new LoomError('blob_damaged');
  }

  /** Overwrites chunks and meta on the disk. Idempotent; needs the right to delete messages of the bucket. */
  async erase(name: string): Promise<void> {
    const stored = await this.#last(metaSubject(this.#bucket, name));
    if (stored === null) return;
    for await (const { seq } of this.#chunks(stored.json<Meta>())) await this.#eraseMessage(seq);
    await this.#eraseMessage(stored.seq);
  }

  async #write(prefix: string, parts: Iterable<Buffer>): Promise<string> {
    const id = nuid.next();
    const hash = createHash('sha256');
    const acks: Promise<unknown>[] = [];
    let size = 0;
    let chunks = 0;
    for (const chunk of inChunks(parts)) {
      hash.update(chunk);
      size += chunk.length;
      chunks++;
      if (acks.length >= window) await acks.shift();
      acks.push(quietly(this.#js.publish(chunkSubject(this.#bucket, id), chunk, { timeout })));
    }
    await Promise.all(acks);
    const digest = hash.digest();
    const name = `${prefix}/${digest.toString('hex')}`;
    await this.#publishMeta({
      name,
      bucket: this.#bucket,
      nuid: id,
      size,
      chunks,
      digest: `SHA-256=${base64url(digest)}`,
    });
    return name;
  }

  /** That another has written the same name is success: the name says what the bytes are. */
  async #publishMeta(meta: Meta): Promise<void> {
    const unique = headers();
    unique.set('Nats-Expected-Last-Subject-Sequence', '0');
    const body = JSON.stringify({ ...meta, options: { max_chunk_size: chunkSize }, mtime: new Date().toISOString() });
    try {
      await this.#js.publish(metaSubject(this.#bucket, meta.name), body, { headers: unique, timeout });
    } catch (cause) {
      if (!(cause instanceof JetStreamApiError && cause.code === taken)) throw cause;
    }
  }

  async #meta(name: string): Promise<Meta | null> {
    const meta = (await this.#last(metaSubject(this.#bucket, name)))?.json<Meta>() ?? null;
    if (meta === null || meta.deleted === true) return null;
    if (!Number.isSafeInteger(meta.size) || !Number.isSafeInteger(meta.chunks)) throw new LoomError('blob_damaged');
    return meta;
  }

  async #last(subject: string): Promise<StoredMsg | null> {
    const query = { last_by_subj: subject };
    return this.#manager.direct.getMessage(streamOf(this.#bucket), query).catch((cause: unknown) => {
      throw failure(cause);
    });
  }

  /** Chunks of an object in order, as many as are found. */
  async *#chunks(meta: Meta): AsyncGenerator<Chunk> {
    let after = 0;
    for (let left = meta.chunks; left > 0;) {
      const found = await this.#patiently(() => this.#batch(meta.nuid, after + 1, Math.min(left, batch)));
      if (found === null) return;
      yield* found;
      left -= found.length;
      after = found.at(-1)?.seq ?? after;
    }
  }

  /** At most `count` chunks from a sequence on, null when there is none. The callback form: the iterator of this client never ends its subscription. */
  #batch(id: string, seq: number, count: number): Promise<readonly Chunk[] | null> {
    const found: Chunk[] = [];
    return new Promise((resolve, reject) => {
      const finish = (error: Error | undefined) => {
        if (error === undefined || isNotFound(error)) resolve(found.length === 0 ? null : found);
        else reject(failure(error));
      };
      this.#manager.direct
        .getBatch(streamOf(this.#bucket), {
          seq,
          next_by_subj: chunkSubject(this.#bucket, id),
          batch: count,
          callback: (done, message) => (done === null ? void found.push(message) : finish(done.err)),
        })
        .catch(finish);
    });
  }

  /** Reads again when nothing is found, four times at most. */
  async #patiently<T>(read: () => Promise<T | null>): Promise<T | null> {
    for (const wait of patience) {
      const found = await read();
      if (found !== null) return found;
      await delay(wait);
    }
    return read();
  }

  async #eraseMessage(seq: number): Promise<void> {
    await this.#manager.streams.deleteMessage(streamOf(this.#bucket), seq, true).catch((cause: unknown) => {
      if (!(cause instanceof JetStreamApiError && cause.code === notStored)) throw failure(cause);
    });
  }
}

/** Codes of the server: the subject holds a message already; the sequence to be erased is not stored. */
const taken = 10071;
const notStored = 10043;

/** The reason may come wrapped. */
const isDenied = (cause: unknown): boolean =>
  cause instanceof errors.PermissionViolationError || (cause instanceof Error && isDenied(cause.cause));

const failure = (cause: unknown): LoomError =>
  isDenied(cause)
    ? new LoomError('forbidden', 'this user may not do that to objects', { cause })
    : new LoomError('log_unavailable', 'the object store does not answer', { cause });

/** Status 404; the client exports no class to tell it by. */
const isNotFound = (error: Error): boolean => 'code' in error && error.code === 404;

/** A rejection is seen where the promise is awaited, which may be later than it happens. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function* inChunks(parts: Iterable<Buffer>): Generator<Buffer> {
  for (const part of parts) {
    for (let from = 0; from < part.length; from += chunkSize) yield part.subarray(from, from + chunkSize);
  }
}
