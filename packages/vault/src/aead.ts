import { LoomError } from '@loom/service';
import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomFillSync,
} from 'node:crypto';

const nonceSize = 12;
const tagSize = 16;

/** AES-256-GCM: 12-byte random nonce, ciphertext, 16-byte tag. */
export function seal(key: KeyObject, aad: string, plain: Uint8Array): Buffer {
  const nonce = freshNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** A draw for each nonce costs more than the sealing of a short field: they are drawn by the thousand, and each is handed out once. */
const drawn = Buffer.alloc(1024 * nonceSize);
let used = drawn.length;

function freshNonce(): Buffer {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  return drawn.subarray(used, (used += nonceSize));
}

/** @throws LoomError `bad_seal` when key, additional data or bytes are not those of the sealing. */
export function unseal(key: KeyObject, aad: string, sealed: Uint8Array): Buffer {
  if (sealed.length < nonceSize + tagSize) throw new LoomError('bad_seal');
  const end = sealed.length - tagSize;
  const options = { authTagLength: tagSize };
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceSize), options).setAAD(
    Buffer.from(aad),
  );
  decipher.setAuthTag(sealed.subarray(end));
  try {
    const plain = decipher.update(sealed.subarray(nonceSize, end));
    decipher.final(); // throws, or has nothing to add: GCM is a stream cipher
    return plain;
  } catch (cause) {
    throw new LoomError('bad_seal', undefined, { cause });
  }
}

/** Takes the bytes over: they are zeroed here and live on inside the key object alone. */
export function keyFrom(bytes: Uint8Array): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** 32 bytes of HKDF-SHA-256; `info` names the purpose. */
export const derive = (key: KeyObject, info: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, 32));
