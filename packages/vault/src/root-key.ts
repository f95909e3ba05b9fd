import { LoomError } from '@loom/service';
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { keyFrom, seal, unseal } from './aead.ts';

/** What a key is for; bound to it, so a wrapped key unwraps under the very same context only. */
export type KeyContext = Readonly<Record<string, string>>;

/** The key that wraps tenants' and persons' keys: a file here, a KMS in production. */
export interface RootKey {
  /** A new 32-byte key, plain and wrapped. */
  generate(context: KeyContext): Promise<{ readonly plain: Buffer; readonly wrapped: Buffer }>;
  /** @throws LoomError `bad_seal` under another context or root. */
  unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Buffer>;
}

/** Additional data of a context: the same for the same entries in any order. */
export const contextText = (context: KeyContext): string =>
  JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Makes the file (32 random bytes, mode 0600) unless there is one; of two that race one file stays. @throws LoomError `root_key_unreadable` */
export async function ensureRootKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await writeDurably(draft);
    await link(draft, path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
    });
  } finally {
    await rm(draft, { force: true });
  }
  (await readRootKey(path)).fill(0);
}

async function writeDurably(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(randomBytes(32));
  await file.sync();
}

/** @throws LoomError `root_key_unreadable` when it is missing, not 32 bytes, or others than its owner may read it. */
async function readRootKey(path: string): Promise<Buffer> {
  const refuse = (message: string, cause?: unknown) => new LoomError('root_key_unreadable', message, { cause });
  const { mode } = await stat(path).catch((cause: unknown) => {
    throw refuse(`the root key file ${path} cannot be read`, cause);
  });
  if ((mode & 0o077) !== 0) throw refuse(`the root key file ${path} is open to others than its owner: chmod 600 it`);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw refuse(`the root key file ${path} cannot be read`, cause);
  });
  if (bytes.length !== 32) throw refuse(`the root key file ${path} does not hold 32 bytes`);
  return bytes;
}

/** The root key of a file. @throws LoomError `root_key_unreadable` */
export async function fileRootKey(path: string): Promise<RootKey> {
  return rootKeyOf(await readRootKey(path));
}

/** The root key of 32 bytes, which it takes over. */
export function rootKeyOf(bytes: Uint8Array): RootKey {
  const root = keyFrom(bytes);
  return {
    generate: async (context) => {
      const plain = randomBytes(32);
      return { plain, wrapped: seal(root, contextText(context), plain) };
    },
    unwrap: async (wrapped, context) => unseal(root, contextText(context), wrapped),
  };
}
