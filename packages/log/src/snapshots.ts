/**
 * Sealed snapshots of folded states in the KV bucket `loom_snapshots`, one a job. Owns no truth: any of them may be missing, old or wrong.
 * S1  What a snapshot stands on (version of the fold, incarnation of the stream, its last fact and that fact's sum) lies in clear headers, is
 *     bound to the seal as additional data, and is held against the log before anything is opened.
 * S2  Who looks for one learns why there is none to be used; it is never a failure, and makes no key.
 * S3  What is over the size of a message lies in parts. Parts that two writers mixed do not open.
 */
import { LoomError } from '@loom/service';
import type { Keys } from '@loom/vault';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { Block } from './block.ts';
import { messageAt } from './read.ts';
import type { Reader } from './read.ts';
import { prefixOf, streamOf } from './subjects.ts';
import { directBatch, enquire, publish } from './transport.ts';
import type { Stored } from './transport.ts';
import type { Address } from './types.ts';

/** Why there is no snapshot to be used: none was kept, by another fold, of another log, behind the sequence wanted, it does not open, nobody answers. */
export type NoSnapshot = 'none' | 'old' | 'foreign' | 'later' | 'shut' | 'unreachable';

export interface Snapshots {
  /** Replaces the job's snapshot. @throws LoomError `log_unavailable`, `forbidden`, `key_destroyed`, `not_found` for a `seq` that is no fact of the job */
  keep(
    at: Address,
    snapshot: { readonly fold: string; readonly seq: number; readonly state: Uint8Array },
  ): Promise<void>;
  /** The state that the same fold kept at a fact not behind `upto`. */
  find(at: Address, fold: string, upto?: number): Promise<Buffer | NoSnapshot>;
  /** Removes the job's snapshot, if there is one. For retention alone. @throws LoomError `log_unavailable`, `forbidden` */
  drop(at: Address): Promise<void>;
}

const stream = 'KV_loom_snapshots';
/** A part leaves room for its headers in a message of 1 MiB; bytes. */
const partSize = 1_000_000;
const mostParts = 64;
const sizeBytes = 4;
/** zlib's own. */
const smallestChunk = 64;
/** It is made again by whoever folds next. ms */
const patience = 2500;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** What a snapshot stands on. */
interface Basis {
  readonly fold: string;
  readonly incarnation: string;
  readonly seq: number;
  readonly sum: string;
}

const folderOf = ({ tenant, stream: job }: Address): string => `$KV.loom_snapshots.${tenant}.${job}`;

const contextOf = (at: Address, { fold, incarnation, seq, sum }: Basis): string =>
  [folderOf(at), fold, incarnation, seq, sum].join('/');

interface Purged {
  readonly error?: { readonly code: number };
}

type SnapshotReader = Reader & { readonly incarnation: (stream: string) => string };

export function snapshotsOf(reader: SnapshotReader): Snapshots {
  return {
    keep: (at, snapshot) => keep(reader, at, snapshot),
    find: (at, fold, upto = Infinity) =>
      find(reader, at, fold, upto).catch((cause: unknown) => {
        const { code } = LoomError.from(cause);
        return code === 'log_unavailable' || code === 'forbidden' ? 'unreachable' : 'shut';
      }),
    async drop(at) {
      const { error } = await enquire<Purged>(reader.connection, `STREAM.PURGE.${stream}`, {
        filter: `${folderOf(at)}.*`,
      });
      if (error !== undefined && error.code !== 404)
        throw new LoomError('log_unavailable', `the snapshot of ${at.stream} was not removed`);
    },
  };
}

async function keep(
  reader: SnapshotReader,
  at: Address,
  { fold, seq, state }: Parameters<Snapshots['keep']>[1],
): Promise<void> {
  const sum = await sumAt(reader, at, seq);
  if (sum === null) throw new LoomError('not_found', `sequence ${seq} is no fact of ${at.stream}`);
  const basis = { fold, incarnation: reader.incarnation(streamOf(at, reader.streams)), seq, sum };
  const packed = Buffer.concat([sizeOf(state), await compress(state)]);
  const sealed = sealerOf(await reader.keyring.ofStream(at)).seal('content', contextOf(at, basis), packed);
  const parts = Math.ceil(sealed.length / partSize);
  if (parts > mostParts) throw new LoomError('fact_too_large', `a snapshot of ${sealed.length} bytes`);
  for (let part = 0; part < parts; part++) {
    const body = sealed.subarray(part * partSize, (part + 1) * partSize);
    const message = { subject: `${folderOf(at)}.${part}`, body, headers: headersOf(basis, parts) };
    await publish(reader.connection, message, patience);
  }
}

async function find(reader: SnapshotReader, at: Address, fold: string, upto: number): Promise<Buffer | NoSnapshot> {
  const query = { seq: 1, next_by_subj: `${folderOf(at)}.*`, batch: mostParts };
  const { messages } = await directBatch(reader.connection, stream, query, 1);
  const last = messages.at(-1);
  if (last === undefined) return 'none';
  const basis = basisOf(last);
  if (basis.fold !== fold) return 'old';
  if (basis.incarnation !== reader.incarnation(streamOf(at, reader.streams))) return 'foreign';
  if (basis.seq > upto) return 'later';
  if (basis.sum === '' || (await sumAt(reader, at, basis.seq)) !== basis.sum) return 'foreign';
  // Each part is replaced by its successor, so the newest parts are the last; what an older and longer one left lies before them.
  const sealed = Buffer.concat(messages.slice(-Number(last.headers?.get('loom-parts'))).map(({ body }) => body));
  return unpacked(sealerOf(await reader.keyring.ofStream(at)).open('content', contextOf(at, basis), sealed));
}

/** Before the compressed bytes: how long they are unpacked, 4 bytes. Written piece by piece, they take ten times as long. */
function sizeOf(state: Uint8Array): Buffer {
  const size = Buffer.alloc(sizeBytes);
  size.writeUInt32LE(state.length);
  return size;
}

const unpacked = (packed: Buffer): Promise<Buffer> =>
  decompress(packed.subarray(sizeBytes), { chunkSize: Math.max(packed.readUInt32LE(0), smallestChunk) });

/** `loom-sum` of a fact of the job; null when the log holds no such fact. */
async function sumAt(reader: SnapshotReader, at: Address, seq: number): Promise<string | null> {
  const fact = await messageAt(reader, streamOf(at, reader.streams), seq);
  return fact?.subject.startsWith(`${prefixOf(at)}.`) === true ? (fact.headers?.get('loom-sum') ?? null) : null;
}

const sealerOf = (keys: Keys): ReturnType<Keys['sealer']> => keys.sealer({ key: 'snapshot', source: 'orchestrator' });

const headersOf = ({ fold, incarnation, seq, sum }: Basis, parts: number): Block =>
  new Block([
    ['loom-fold', fold],
    ['loom-incarnation', incarnation],
    ['loom-basis', String(seq)],
    ['loom-sum', sum],
    ['loom-parts', String(parts)],
  ]);

function basisOf({ headers }: Stored): Basis {
  const get = (name: string): string => headers?.get(name) ?? '';
  return {
    fold: get('loom-fold'),
    incarnation: get('loom-incarnation'),
    seq: Number(get('loom-basis')),
    sum: get('loom-sum'),
  };
}
