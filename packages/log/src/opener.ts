/** Opening facts that lie elsewhere than in a stream: in a stored history. */
import type { Blobs } from '@loom/blobs';
import type { Vault } from '@loom/vault';
import { Block } from './block.ts';
import { vaultKeys } from './keyring.ts';
import { Known } from './known.ts';
import { openFact } from './open.ts';
import type { RawFact } from './raw.ts';
import type { Fact } from './types.ts';

/** Opens one fact after the other. @throws LoomError `damaged`, `undecodable`, `unknown_schema`, `bad_seal`, `key_destroyed`, `blob_missing` */
export function openerOf(vault: Vault, blobs: Blobs): (raw: RawFact) => Promise<Fact> {
  const parts = { keyring: vaultKeys(vault), blobs, known: new Known() };
  return async ({ headers, ...raw }) => openFact(parts, { ...raw, headers: new Block(headers) });
}
