/**
 * What the latest decisions of one address carried, as it was opened, until each request comes by itself. Any of it may be forgotten.
 * A dispatch is its decision's item byte for byte, sealed for the same place: it need not be decoded and opened once more.
 */
import type { Opened } from './known.ts';
import type { Located } from './subjects.ts';
import type { Head } from './types.ts';

interface Item {
  readonly at: Pick<Located, 'source' | 'type' | 'key'>;
  readonly body: Uint8Array;
}

type Kept = Item & { readonly opened: Opened };

/** Items that are never sent by themselves go with the oldest. */
const most = 1000;

/** For the facts of one address in their order. */
export class Carried {
  readonly #items = new Map<string, Kept>();

  put(items: readonly Item[], opened: readonly Opened[]): void {
    items.forEach((item, i) => this.#items.set(nameOf(item.at), { ...item, opened: opened[i]! }));
    for (const name of this.#items.keys()) {
      if (this.#items.size <= most) break;
      this.#items.delete(name);
    }
  }

  /** The item that a dispatch with this body is. */
  take(fact: Pick<Head, 'decision'> & Item['at'], body: Uint8Array): readonly Opened[] | undefined {
    if (fact.decision === null) return undefined;
    const kept = this.#items.get(nameOf(fact));
    this.#items.delete(nameOf(fact));
    return kept?.at.source === fact.source && Buffer.compare(kept.body, body) === 0 ? [kept.opened] : undefined;
  }
}

const nameOf = ({ type, key }: Item['at']): string => `${type}/${key}`;
