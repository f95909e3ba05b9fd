export type { Blob, Blobs } from './types.ts';
export { blobBucketConfig } from './bucket.ts';
export { type NatsBlobsOptions, natsBlobs } from './nats.ts';
