/** The one secret of the sandbox, the pool's private key, and what it opens: the key that each call brings. */
import { readFile, stat } from 'node:fs/promises';
import { contextOf } from '@loom/log';
import type { CallKeys } from '@loom/log';
import { LoomError } from '@loom/service';
import { callSealer, openCallKey } from '@loom/vault';
import type { Parts } from './consumers/calls.ts';

/** Reads the pool's private key (base64). @throws LoomError `config_invalid` when it is missing, empty, or others may read it */
export async function readPoolKey(file: string): Promise<string> {
  const info = await stat(file).catch((cause: unknown) => {
    throw new LoomError('config_invalid', 'the file that LOOM_POOL_PRIVATE_KEY_FILE names cannot be read', { cause });
  });
  if ((info.mode & 0o077) !== 0)
    throw new LoomError('config_invalid', 'the file that LOOM_POOL_PRIVATE_KEY_FILE names must have mode 0600');
  const key = (await readFile(file, 'utf8')).trim();
  if (key === '') throw new LoomError('config_invalid', 'the file that LOOM_POOL_PRIVATE_KEY_FILE names is empty');
  return key;
}

export const callKeysOf =
  (privateKey: string): CallKeys =>
  async (sealed, context, key) => {
    const callKey = await openCallKey(privateKey, sealed, context);
    try {
      return callSealer(callKey, { key });
    } finally {
      callKey.fill(0);
    }
  };

/** HMAC under the key of the call whose `run.requested` lies at the place. */
export const hmacOf =
  (callKeys: CallKeys): Parts['hmac'] =>
  async ({ at, key, sealed }, input) =>
    (await callKeys(sealed, contextOf(at, 'run.requested', key), key)).hmac('input', input);
