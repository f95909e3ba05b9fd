import type { Sealer } from '@loom/schemas';

/** Which fact a sealer works for: its key picks the call key, its source decides whether `content` means the call key (sandbox), its person the person's key. */
export interface SealScope {
  readonly key: string;
  readonly source: string;
  readonly person?: string | undefined;
}

/** The keys of one stream (a job, or a tenant's account). Synchronous once it was got. */
export interface Keys {
  sealer(scope: SealScope): Sealer;
  /** HMAC-SHA-256 under a subkey of the content key (HKDF, info names the purpose). */
  hmac(purpose: 'ce-id' | 'request' | 'input' | 'id', data: Uint8Array): Buffer;
  /** The subkey of `hmac` for one purpose alone: who is given it can recompute those HMACs, and open nothing. */
  hmacKey(purpose: 'request'): Buffer;
  /** The key of one sandbox call: HKDF of the content key and the call's key, so that who holds the content key needs no look-up. */
  callKey(key: string): Buffer;
}

export interface Vault {
  /** Makes the key by KV create when there is none; who finds one uses it. @throws LoomError `key_destroyed` */
  open(tenant: string, stream: string): Promise<Keys>;
  /** What `open` would answer, where that and the person's key, if one is named, are in hand; null: ask for them. */
  held(tenant: string, stream: string, person?: string): Keys | null;
  /** Makes person keys available to sealers of that person; returns false when it was destroyed (its fields then open as ''). */
  person(person: string): Promise<boolean>;
  /** Erases the key's bytes (MSG.DELETE with overwrite) and leaves a tombstone, so that it is never made anew. */
  destroy(
    what: { readonly tenant: string; readonly job: string } | { readonly person: string } | { readonly tenant: string },
  ): Promise<void>;
  /** HPKE (X25519, HKDF-SHA256, AES-256-GCM) of a call key to the sandbox pool's public key. */
  sealCallKey(callKey: Uint8Array, context: string): Promise<Buffer>;
}
