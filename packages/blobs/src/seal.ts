/**
 * AES-256-GCM in pieces, so that a large content needs no second copy of itself.
 *
 * 1. A data key seals one content, once: the nonce is zero, and sealing again gives the same bytes.
 * 2. The place (tenant and job) is bound as additional data.
 */
import { LoomError } from '@loom/service';
import { type DecipherGCM, createCipheriv, createDecipheriv } from 'node:crypto';

const nonce = Buffer.alloc(12);
const tagSize = 16;
/** Bytes worked on at a time. */
const step = 128 * 1024;
/** No blob is larger, bytes; a meta message that says more is damaged. */
const maxSize = 1024 ** 3;

/** Ciphertext, then tag. */
export function* sealed(content: Uint8Array, key: Uint8Array, place: string): Generator<Buffer> {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
  let from = 0;
  for (; content.length - from > step; from += step) yield cipher.update(content.subarray(from, from + step));
  yield Buffer.concat([cipher.update(content.subarray(from)), cipher.final(), cipher.getAuthTag()]);
}

/** Opens in place: the answer is a part of `bytes`. @throws LoomError `blob_damaged` */
export function opened(bytes: Buffer, key: Uint8Array, place: string): Buffer {
  if (bytes.length < tagSize || key.length !== 32) throw new LoomError('blob_damaged');
  const content = bytes.subarray(0, bytes.length - tagSize);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagSize }).setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(content.length));
  for (let from = 0; from < content.length; from += step) {
    decipher.update(content.subarray(from, from + step)).copy(content, from);
  }
  verify(decipher);
  return content;
}

function verify(decipher: DecipherGCM): void {
  try {
    decipher.final();
  } catch (cause) {
    throw new LoomError('blob_damaged', undefined, { cause });
  }
}

/** Gathers pieces into one buffer of a size known beforehand. */
export function gather(): { take(piece: Uint8Array, size: number): void; bytes(): Buffer } {
  let bytes: Buffer = Buffer.alloc(0);
  let at = 0;
  return {
    take: (piece, size) => {
      if (size > maxSize) throw new LoomError('blob_damaged');
      if (at === 0) bytes = Buffer.allocUnsafeSlow(size);
      bytes.set(piece, at);
      at += piece.length;
    },
    bytes: () => bytes,
  };
}
