import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';

/** The bucket's name where nothing else is said. */
export const defaultBucket = 'loom_blobs';

export const streamOf = (bucket: string): string => `OBJ_${bucket}`;
export const chunkSubject = (bucket: string, nuid: string): string => `$O.${bucket}.C.${nuid}`;
export const metaSubject = (bucket: string, name: string): string => `$O.${bucket}.M.${base64url(Buffer.from(name))}`;

/** Base64url with padding, as object stores of NATS write names and digests. */
export const base64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** Settings of the bucket's stream, for the set-up job. Without roll-ups nobody who may only publish can erase. */
export function blobBucketConfig(
  replicas = 1,
  bucket: string = defaultBucket,
): Partial<StreamConfig> & { name: string } {
  return {
    name: streamOf(bucket),
    subjects: [`$O.${bucket}.C.>`, `$O.${bucket}.M.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    allow_direct: true,
    allow_rollup_hdrs: false,
    num_replicas: replicas,
  };
}
