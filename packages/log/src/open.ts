/** Stored bytes → facts: sum verified, decoded, claims redeemed, opened. */
import { clearOf, decodeWire, fromWire, isContentFree } from '@loom/schemas';
import type { FactType, Wire } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { checkOut } from './claims.ts';
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

/** @throws LoomError `damaged`, `wrong_tenant`, `undecodable`, `unknown_schema`, `bad_seal`, `key_destroyed`, `blob_missing` */
export async function openFact(parts: Parts, message: Stored): Promise<Fact> {
  verify(message);
  const located = parseSubject(message.subject);
  agree(message, located);
  const head = headOf(message, located);
  return sayings(head, parts.known.get(head.sum) ?? (await openBodies(parts, located, message.body)));
}

async function openBodies(parts: Parts, located: Located, body: Uint8Array): Promise<readonly Opened[]> {
  const wire = wireOf(located.type, body);
  if (located.type !== 'decision.made') return [await openItem(parts, located, wire)];
  const items: Opened[] = [];
  for (const item of carried(wire)) items.push(await openItem(parts, { ...located, ...item }, decodeItem(item)));
  return items;
}

function sayings(head: Head & { readonly type: FactType }, opened: readonly Opened[]): Fact {
  const items = opened.map(({ type, key, body }, i) => ({ type, key, id: `${head.seq}.${i}`, body }) as Item);
  if (head.type === 'decision.made') return { ...head, items, said: null };
  return { ...head, items: head.decision === null ? items : [], said: items[0] ?? null };
}

/** Needs no key. @throws LoomError `damaged`, `wrong_tenant`, `undecodable`, `unknown_schema` */
export function clearFact(message: Stored): ClearFact {
  const { located, type, wire } = decode(message);
  const head = headOf(message, located);
  if (type === 'decision.made') {
    const items = carried(wire).map((item, i) => clearItem(item, decodeItem(item), `${message.seq}.${i}`));
    return { ...head, items, said: null };
  }
  const said = clearItem(located, wire, `${message.seq}.0`);
  return { ...head, items: head.decision === null ? [said] : [], said };
}

/** The items of a stored `decision.made`, as they lie there. @throws LoomError `damaged`, `undecodable` */
export function itemsOf(message: Stored): readonly EncodedItem[] {
  const { type, wire } = decode(message);
  return type === 'decision.made' ? carried(wire) : [];
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

const carried = (wire: Wire): readonly EncodedItem[] => wire['items'] as readonly EncodedItem[];

function decodeItem(item: EncodedItem): Wire {
  const { type, wire } = decodeWire(item.body);
  if (type !== item.type) throw new LoomError('undecodable', `an item's body is a ${type}, it says ${item.type}`);
  if (type === 'decision.made') throw new LoomError('undecodable', 'a decision holds a decision');
  return wire;
}

async function openItem(parts: Parts, at: Located, wire: Wire): Promise<Opened> {
  const { type, key } = at;
  const place = { at, type, key };
  const keys = isContentFree(type) ? null : await parts.keyring.reading(place, wire);
  const person = personOf(type, wire);
  if (person !== undefined) await parts.keyring.person(person);
  const sealer = keys?.sealer({ key, source: at.source, person }) ?? noSealer;
  const whole = keys === null ? wire : await checkOut(parts.blobs, type, wire);
  return { type, key, body: fromWire(type, whole, contextOf(at, type, key), sealer) };
}

function clearItem(
  { type, key }: { readonly type: FactType; readonly key: string },
  wire: Wire,
  id: string,
): ClearItem {
  return { type, key, id, body: clearOf(type, wire) } as ClearItem;
}
