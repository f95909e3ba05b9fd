/** Call keys on their way to the sandbox pool: HPKE (RFC 9180, base mode), X25519, HKDF-SHA256, AES-256-GCM. */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { LoomError } from '@loom/service';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const info = Buffer.from('loom call key v1');
const version = 1;
const encSize = 32;

/** The pool's keys, each 32 bytes in base64. */
export interface PoolKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

export async function generatePoolKeys(): Promise<PoolKeys> {
  const pair = await suite.kem.generateKeyPair();
  const text = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64');
  return {
    publicKey: text(await suite.kem.serializePublicKey(pair.publicKey)),
    privateKey: text(await suite.kem.serializePrivateKey(pair.privateKey)),
  };
}

/** Version byte, encapsulated key, ciphertext with tag. @throws LoomError `config_invalid` for a key that is none. */
export async function sealCallKey(publicKey: string, callKey: Uint8Array, context: string): Promise<Buffer> {
  const recipientPublicKey = await readKey(publicKey, (bytes) => suite.kem.deserializePublicKey(bytes));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: exact(info) });
  const sealed = await sender.seal(exact(callKey), exact(Buffer.from(context)));
  return Buffer.concat([Buffer.from([version]), Buffer.from(sender.enc), Buffer.from(sealed)]);
}

/** @throws LoomError `bad_seal` when it was sealed to another pool or under another context. */
export async function openCallKey(privateKey: string, sealed: Uint8Array, context: string): Promise<Buffer> {
  const recipientKey = await readKey(privateKey, (bytes) => suite.kem.deserializePrivateKey(bytes));
  if (sealed[0] !== version) throw new LoomError('bad_seal');
  const enc = exact(sealed.subarray(1, 1 + encSize));
  try {
    const recipient = await suite.createRecipientContext({ recipientKey, enc, info: exact(info) });
    return Buffer.from(await recipient.open(exact(sealed.subarray(1 + encSize)), exact(Buffer.from(context))));
  } catch (cause) {
    throw new LoomError('bad_seal', undefined, { cause });
  }
}

async function readKey<T>(text: string, read: (bytes: ArrayBuffer) => Promise<T>): Promise<T> {
  try {
    return await read(exact(Buffer.from(text, 'base64')));
  } catch (cause) {
    throw new LoomError('config_invalid', 'a pool key is not 32 bytes in base64', { cause });
  }
}

/** The bytes as an ArrayBuffer of their own. */
function exact(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
