/** Facts of a job as a bundle that another job takes along: opened, in Avro, without personal data and keys of calls. */
import type { Fact, Item, Source } from '@loom/log';
import { decodeWire, emptyOpened, encodeWire, fromWire, toWire } from '@loom/schemas';
import type { Bodies, BundledFact, FactType, Sealer } from '@loom/schemas';

/** Sealed fields lie open: the field that holds the bundle is sealed as a whole. What is under a person's key stays where that key reaches it. */
const unsealed: Sealer = {
  seal: (key, _context, plain) => (key === 'person' ? emptyOpened : Buffer.from(plain)),
  open: (_key, _context, plain) => Buffer.from(plain),
};

export function bundleOf(facts: readonly Fact[]): readonly BundledFact[] {
  return facts.map(({ seq, time, source, type, key, basis, decision, items }) => ({
    seq,
    time,
    source,
    type,
    key,
    basis,
    dispatch: decision !== null,
    items: items.map((item) => ({ type: item.type, key: item.key, body: bytesOf(item) })),
  }));
}

function bytesOf({ type, body }: Item): Buffer {
  const said = 'call_key' in body ? { ...body, call_key: Buffer.alloc(0) } : body;
  return encodeWire(type, toWire(type, said as Bodies[FactType], '', unsealed));
}

/** @throws LoomError `unknown_schema`, `undecodable` */
export function openBundle({ bundle, parent }: Pick<Bodies['job.forked'], 'bundle' | 'parent'>): readonly Fact[] {
  return bundle.map((fact) => ({
    tenant: '',
    stream: parent,
    seq: fact.seq,
    time: fact.time,
    source: fact.source as Source,
    key: fact.key,
    id: '',
    writer: fact.source,
    basis: fact.basis,
    decision: fact.dispatch ? 0 : null,
    sum: '',
    traceparent: '',
    type: fact.type as FactType,
    items: fact.items.map((item, i) => openItem(item, `${fact.seq}.${i}`)),
    said: null,
  }));
}

function openItem({ key, body }: BundledFact['items'][number], id: string): Item {
  const { type, wire } = decodeWire(body);
  return { type, key, id, body: fromWire(type, wire, '', unsealed) } as Item;
}
