import { LoomError } from '@loom/service';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { createHash, randomBytes } from 'node:crypto';
import { defaultBucket } from './bucket.ts';
import { gather, opened, sealed } from './seal.ts';
import { ObjectStore } from './store.ts';
import type { Blobs } from './types.ts';

export interface NatsBlobsOptions {
  readonly connection: NatsConnection;
  /** Default `loom_blobs`. The set-up job makes it with `blobBucketConfig`. */
  readonly bucket?: string;
}

/** Blobs in a JetStream Object Store, each sealed under a data key of its own. */
export async function natsBlobs({ connection, bucket = defaultBucket }: NatsBlobsOptions): Promise<Blobs> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const store = new ObjectStore(jetstream(connection), manager, bucket);
  const read = async (object: string): Promise<Buffer> => {
    const pieces = gather();
    await store.read(object, (piece, size) => pieces.take(piece, size));
    return pieces.bytes();
  };
  return {
    put: async (at, content) => {
      const dataKey = randomBytes(32);
      const place = placeOf(at);
      const object = await store.put(place, () => sealed(content, dataKey, place));
      return { object, size: content.length, sha256: createHash('sha256').update(content).digest('hex'), dataKey };
    },
    get: async (object, dataKey) => opened(await read(object), dataKey, placeIn(object)),
    putSealed: async (at, bytes) => {
      const object = `${placeOf(at)}/${createHash('sha256').update(bytes).digest('hex')}`;
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return (await store.has(object)) ? object : store.put(placeOf(at), () => [whole]);
    },
    getSealed: read,
    erase: (object) => store.erase(object),
  };
}

const placeOf = (at: { readonly tenant: string; readonly job: string }): string => `${at.tenant}/${at.job}`;

/** Tenant and job of an object's name. */
function placeIn(object: string): string {
  const end = object.lastIndexOf('/');
  if (end < 0) throw new LoomError('blob_missing');
  return object.slice(0, end);
}
