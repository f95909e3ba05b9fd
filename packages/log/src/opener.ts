/** Opening facts that were read as they lie, or that lie elsewhere than in a stream: in a stored history. */
import type { Blobs } from '@loom/blobs';
import { LoomError } from '@loom/service';
import type { Vault } from '@loom/vault';
import { Block } from './block.ts';
import type { Parts } from './encode.ts';
import { vaultKeys } from './keyring.ts';
import { Known } from './known.ts';
import { openBodies, openFact, sayings } from './open.ts';
import type { Place } from './open.ts';
import type { RawFact } from './raw.ts';
import { contextOf } from './subjects.ts';
import type { Fact, ParsedFact, RawItem } from './types.ts';

/** What opens the facts of a stored history, one after the other. */
interface Opener {
  /** @throws LoomError `damaged`, `undecodable`, `unknown_schema`, `bad_seal`, `key_destroyed`, `blob_missing` */
  readonly raw: (fact: RawFact) => Promise<Fact>;
  /** As `Log.open`. */
  readonly parsed: (fact: ParsedFact) => Fact | Promise<Fact>;
}

export function openerOf(vault: Vault, blobs: Blobs): Opener {
  const parts = { keyring: vaultKeys(vault), blobs, known: new Known() };
  return {
    raw: async ({ headers, ...raw }) => openFact(parts, { ...raw, headers: new Block(headers) }),
    parsed: (fact) => openParsed(parts, fact),
  };
}

/** @throws LoomError `undecodable`, `bad_seal`, `key_destroyed`, `blob_missing` */
export function openParsed(parts: Parts, fact: ParsedFact): Fact | Promise<Fact> {
  if (fact.ceType !== `loom.${fact.type}` || fact.ceSubject !== contextOf(fact, fact.type, fact.key))
    throw new LoomError('undecodable', 'the headers tell of another fact than the subject');
  const said = fact.said === null ? fact.items : [fact.said];
  const opened = openBodies(
    parts,
    said.map((item) => placeOf(fact, item)),
  );
  return opened instanceof Promise ? opened.then((items) => sayings(fact, items)) : sayings(fact, opened);
}

function placeOf({ tenant, stream, source }: ParsedFact, { type, key, bytes: body, wire }: RawItem): Place {
  if (type === 'decision.made') throw new LoomError('undecodable', 'a decision holds a decision');
  return { at: { tenant, stream, source, type, key }, body, wire };
}
