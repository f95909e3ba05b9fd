/** A stored blob. Everything but `object` and `size` is content: it belongs into sealed fields. */
export interface Blob {
  /** Content-addressed name (SHA-256 of the ciphertext) under the tenant's and job's prefix; never overwritten. */
  readonly object: string;
  /** Bytes of the plain content. */
  readonly size: number;
  /** Hex SHA-256 of the plain content. */
  readonly sha256: string;
  /** The blob's own 32-byte key. */
  readonly dataKey: Buffer;
}

/** Sealed large bodies. Reads need no consumer: they go by direct batch get. */
export interface Blobs {
  put(at: { readonly tenant: string; readonly job: string }, content: Uint8Array): Promise<Blob>;
  /** @throws LoomError `blob_missing` when it is gone, `blob_damaged` when it does not open or sums differ. */
  get(object: string, dataKey: Uint8Array): Promise<Buffer>;
  /** Stores bytes that are sealed already (a claim-checked field). Returns the object's name. */
  putSealed(at: { readonly tenant: string; readonly job: string }, sealed: Uint8Array): Promise<string>;
  getSealed(object: string): Promise<Buffer>;
  /** Really erases (retention's user alone may). */
  erase(object: string): Promise<void>;
}
