/** Stored bytes → facts: sum verified, decoded, claims redeemed, opened. */
import { clearOf, decodeWire, fromWire, isContentFree } from '@loom/schemas';
import type { FactType, Sealer, Wire } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { Carried } from './carried.ts';
import { checkOut, isCheckedIn } from './claims.ts';
import { noSealer, personOf } from './encode.ts';
import type { EncodedItem, Parts } from './encode.ts';
import { agree, headOf, verify } from './headers.ts';
import { contextOf, parseSubject } from './subjects.ts';
import type { Opened } from './known.ts';
import type { Located } from './subjects.ts';
import type { Stored } from './transport.ts';
import type { ClearFact, ClearItem, Fact, Head, Item } from './types.ts';

interface Said {
  readonly located: Located;
  readonly type: FactType;
  readonly wire: Wire;
}

/** A body as it lies, and where. */
export interface Place {
  readonly at: Located;
  /** As it lies there. */
  readonly body: Uint8Array;
  readonly wire: Wire;
}

/**
 * At once, where all that it takes is in hand. Who opens the facts of one address in order brings what their decisions `carried`.
 * @throws LoomError `damaged`, `wrong_tenant`, `undecodable`, `unknown_schema`, `bad_seal`, `key_destroyed`, `blob_missing`
 */
export function openFact(parts: Parts, message: Stored, carried?: Carried): Fact | Promise<Fact> {
  verify(message);
  const located = parseSubject(message.subject);
  agree(message, located);
  const head = headOf(message, located);
  const known = parts.known.get(head.sum) ?? carried?.take(head, message.body);
  if (known !== undefined) return sayings(head, known);
  const places = placesOf(located, message.body);
  const opened = openBodies(parts, places);
  const said = (items: readonly Opened[]): Fact => {
    if (head.type === 'decision.made') carried?.put(places, items);
    return sayings(head, items);
  };
  return opened instanceof Promise ? opened.then(said) : said(opened);
}

function placesOf(located: Located, body: Uint8Array): readonly Place[] {
  const wire = wireOf(located.type, body);
  if (located.type !== 'decision.made') return [{ at: located, body, wire }];
  return carriedBy(wire).map((item) => ({
    at: { ...located, type: item.type, key: item.key },
    body: item.body,
    wire: decodeItem(item),
  }));
}

/** At once, where all that it takes is in hand. */
export function openBodies(parts: Parts, places: readonly Place[]): readonly Opened[] | Promise<readonly Opened[]> {
  const opened: Opened[] = [];
  for (const place of places) {
    const item = openNow(parts, place);
    if (item === null) return openLater(parts, places);
    opened.push(item);
  }
  return opened;
}

/** The fact whose bodies were opened. */
export function sayings(head: Head & { readonly type: FactType }, opened: readonly Opened[]): Fact {
  const items = opened.map(({ type, key, body }, i) => ({ type, key, id: `${head.seq}.${i}`, body }) as Item);
  if (head.type === 'decision.made') return { ...head, items, said: null };
  return { ...head, items: head.decision === null ? items : [], said: items[0] ?? null };
}

/** Needs no key. @throws LoomError `damaged`, `wrong_tenant`, `undecodable`, `unknown_schema` */
export function clearFact(message: Stored): ClearFact {
  const { located, type, wire } = decode(message);
  const head = headOf(message, located);
  if (type === 'decision.made') {
    const items = carriedBy(wire).map((item, i) => clearItem(item, decodeItem(item), `${message.seq}.${i}`));
    return { ...head, items, said: null };
  }
  const said = clearItem(located, wire, `${message.seq}.0`);
  return { ...head, items: head.decision === null ? [said] : [], said };
}

/** The items of a stored `decision.made`, as they lie there. @throws LoomError `damaged`, `undecodable` */
export function itemsOf(message: Stored): readonly EncodedItem[] {
  const { type, wire } = decode(message);
  return type === 'decision.made' ? carriedBy(wire) : [];
}

function decode(message: Stored): Said {
  verify(message);
  const located = parseSubject(message.subject);
  agree(message, located);
  return { located, type: located.type, wire: wireOf(located.type, message.body) };
}

function wireOf(wanted: FactType, body: Uint8Array): Wire {
  const { type, wire } = decodeWire(body);
  if (type !== wanted) throw new LoomError('undecodable', `the body is a ${type}, its subject says ${wanted}`);
  return wire;
}

const carriedBy = (wire: Wire): readonly EncodedItem[] => wire['items'] as readonly EncodedItem[];

function decodeItem(item: EncodedItem): Wire {
  const { type, wire } = decodeWire(item.body);
  if (type !== item.type) throw new LoomError('undecodable', `an item's body is a ${type}, it says ${item.type}`);
  if (type === 'decision.made') throw new LoomError('undecodable', 'a decision holds a decision');
  return wire;
}

/** Null where a key or a claimed field has to be fetched first. */
function openNow({ keyring }: Parts, { at, wire }: Place): Opened | null {
  if (isContentFree(at.type)) return openWith(noSealer, at, wire);
  const person = personOf(at.type, wire);
  const keys = isCheckedIn(at.type, wire) ? null : keyring.held(at, person);
  return keys === null ? null : openWith(keys.sealer({ key: at.key, source: at.source, person }), at, wire);
}

async function openLater(parts: Parts, places: readonly Place[]): Promise<readonly Opened[]> {
  const opened: Opened[] = [];
  for (const place of places) opened.push(openNow(parts, place) ?? (await fetchAndOpen(parts, place)));
  return opened;
}

async function fetchAndOpen({ keyring, blobs }: Parts, { at, wire }: Place): Promise<Opened> {
  const { type, key, source } = at;
  const keys = await keyring.reading({ at, type, key }, wire);
  const person = personOf(type, wire);
  if (person !== undefined) await keyring.person(person);
  return openWith(keys.sealer({ key, source, person }), at, await checkOut(blobs, type, wire));
}

const openWith = (sealer: Sealer, at: Located, wire: Wire): Opened => ({
  type: at.type,
  key: at.key,
  body: fromWire(at.type, wire, contextOf(at, at.type, at.key), sealer),
});

function clearItem(
  { type, key }: { readonly type: FactType; readonly key: string },
  wire: Wire,
  id: string,
): ClearItem {
  return { type, key, id, body: clearOf(type, wire) } as ClearItem;
}
