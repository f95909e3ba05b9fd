/** Facts as the API shows them, turned back into what the fold takes. */
import type { Fact, Item, Source } from '@loom/log';

export interface ShownFact {
  readonly seq: number;
  readonly type: string;
  readonly key: string;
  /** RFC 3339. */
  readonly time: string;
  readonly source: string;
  readonly id: string;
  readonly body?: unknown;
  readonly items?: readonly {
    readonly id: string;
    readonly type: string;
    readonly key: string;
    readonly body: unknown;
  }[];
  readonly decision?: number;
}

/** A dispatch says nothing new, a decision has its items, any other fact is its own item. */
function itemsOf(shown: ShownFact): readonly Item[] {
  if (shown.decision !== undefined) return [];
  const own = { id: `${shown.seq}.0`, type: shown.type, key: shown.key, body: shown.body };
  return (shown.items ?? [own]) as readonly Item[];
}

export function factOf(job: string, shown: ShownFact): Fact {
  return {
    tenant: '',
    stream: job,
    seq: shown.seq,
    time: Date.parse(shown.time),
    source: shown.source as Source,
    key: shown.key,
    id: shown.id,
    writer: shown.source,
    basis: 0,
    decision: shown.decision ?? null,
    sum: '',
    traceparent: '',
    type: shown.type as Fact['type'],
    items: itemsOf(shown),
    said: null,
  };
}
