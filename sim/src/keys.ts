/** Keys that seal nothing and files that lie in memory: what is encoded is the real thing, but anybody may read it, and the same act has the same bytes. */
import type { Blobs } from '@loom/blobs';
import type { Keys, Vault } from '@loom/vault';
import { createHash, createHmac } from 'node:crypto';

/** Version 1, kind 0, as sealed bytes begin. */
const mark = Buffer.from([1, 0]);

const subkey = (purpose: string): Buffer => Buffer.from(purpose.padEnd(32));

const keys: Keys = {
  sealer: () => ({
    seal: (_name, _context, plain) => Buffer.concat([mark, plain]),
    open: (_name, _context, sealed) => Buffer.from(sealed.subarray(mark.length)),
  }),
  hmac: (purpose, data) => createHmac('sha256', subkey(purpose)).update(data).digest(),
  hmacKey: subkey,
  callKey: (key) => createHash('sha256').update(key).digest(),
};

export const openVault: Vault = {
  open: () => Promise.resolve(keys),
  held: () => keys,
  person: () => Promise.resolve(true),
  destroy: () => Promise.reject(new Error('nothing is destroyed here')),
  sealCallKey: (callKey) => Promise.resolve(Buffer.from(callKey)),
};

/** One store for all processes; it outlives them. */
export function memoryBlobs(): Pick<Blobs, 'get' | 'put'> {
  const kept = new Map<string, Buffer>();
  return {
    put: (at, content) => {
      const sha256 = createHash('sha256').update(content).digest('hex');
      const object = `${at.tenant}/${at.job}/${sha256}`;
      kept.set(object, Buffer.from(content));
      return Promise.resolve({ object, size: content.length, sha256, dataKey: Buffer.alloc(32) });
    },
    get: (object) => Promise.resolve(kept.get(object) ?? Buffer.alloc(0)),
  };
}
