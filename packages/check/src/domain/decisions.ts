/** Invariants 3 and 4: a decision is one fenced append, and what it asks for goes out once, byte for byte. */
import type { RawItem } from '@loom/log';
import { isAsk, isDecision, isOutcome, slotOf } from './rule.ts';
import type { Ask, Break, Entry, Known, Rule } from './rule.ts';

const mostItems = 200;

export const shape: Rule = {
  name: 'shape',
  invariant: 3,
  promise: `decision.made carries 2 to ${mostItems} items under the key of its basis; none of them a decision itself.`,
  watch: () => ({
    see: ({ fact: { type, key, basis, items } }) => {
      if (type !== 'decision.made') return null;
      if (key !== String(basis)) return `its key is ${key}, its basis ${basis}`;
      if (items.length < 2 || items.length > mostItems) return `it has ${items.length} items`;
      return items.some((item) => item.type === 'decision.made') ? 'it carries a decision' : null;
    },
  }),
};

export const basis: Rule = {
  name: 'basis',
  invariant: 3,
  promise: 'Who writes has folded facts before its own alone; a decision names the fact that it folded last.',
  watch: () => {
    const seen = new Set<number>();
    return {
      see: (entry) => {
        seen.add(entry.seq);
        const stands = entry.fact.basis;
        if (!Number.isSafeInteger(stands) || stands < 0) return 'its basis is no sequence';
        if (stands >= entry.seq) return `its basis ${stands} is not before it`;
        return isDecision(entry) && !seen.has(stands) ? `its basis ${stands} is no fact of the job` : null;
      },
    };
  },
};

export const fence: Rule = {
  name: 'fence',
  invariant: 3,
  promise:
    'No fact of the orchestrator lies between a decision and the fold that it stands on; with replicas, no decision.',
  watch: ({ replicated }) => {
    let last = 0;
    return {
      see: (entry) => {
        const before = last;
        if (replicated ? isDecision(entry) : entry.fact.source === 'orchestrator') last = entry.seq;
        if (!isDecision(entry) || before <= entry.fact.basis) return null;
        return `it stands on ${entry.fact.basis}, but the orchestrator wrote ${before} before it`;
      },
    };
  },
};

export const chain: Rule = {
  name: 'chain',
  invariant: 3,
  promise: 'A decision carries the rolling hash of the facts up to its basis.',
  watch: () => {
    const chains = new Map<number, string>();
    return {
      see: (entry) => {
        chains.set(entry.seq, entry.chain);
        if (!isDecision(entry)) return null;
        const expected = chains.get(entry.fact.basis);
        return expected === entry.fact.chain
          ? null
          : `its loom-chain is not that of the facts up to ${entry.fact.basis}`;
      },
    };
  },
};

export const dispatch: Rule = {
  name: 'dispatch',
  invariant: 3,
  promise: 'A dispatch belongs to an item of a decision before it, once, and carries its very bytes.',
  watch: () => {
    const held = new Map<string, { readonly item: RawItem; sent: boolean }>();
    return {
      see: (entry) => {
        const { seq, fact } = entry;
        if (fact.type === 'decision.made')
          for (const item of fact.items) held.set(placeOf(seq, item), { item, sent: false });
        if (fact.decision === null) return null;
        const found = held.get(placeOf(fact.decision, fact));
        if (found === undefined) return `no decision at ${fact.decision} holds ${fact.type} ${fact.key}`;
        const before = found.sent;
        found.sent = true;
        if (before) return `${fact.type} ${fact.key} of ${fact.decision} was dispatched before`;
        return judge(entry, found.item);
      },
    };
  },
};

const placeOf = (seq: number, { type, key }: { readonly type: string; readonly key: string }): string =>
  `${seq} ${type} ${key}`;

function judge({ fact }: Known, item: RawItem): string | null {
  if (fact.source !== 'orchestrator') return `a dispatch by ${fact.source}`;
  if (!isAsk(item)) return `${item.type} is no request of work`;
  return same(fact.said?.bytes, item.bytes)
    ? null
    : `its bytes are not those that the decision at ${fact.decision} holds`;
}

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);

export const dispatched: Rule = {
  name: 'dispatched',
  invariant: 4,
  promise: 'In a job that ended, all work that was decided on was dispatched, or settled as lost by the orchestrator.',
  watch: () => {
    const waiting = new Map<string, { readonly at: Entry; readonly item: Ask }>();
    return {
      see: (entry) => {
        const { fact } = entry;
        if (fact.type === 'decision.made')
          for (const item of fact.items) if (isAsk(item)) waiting.set(slotOf(item), { at: entry, item });
        if (fact.decision !== null && fact.said !== null && isAsk(fact.said)) waiting.delete(slotOf(fact.said));
        if (fact.said !== null && isOutcome(fact.said) && fact.writer !== fact.source)
          waiting.delete(slotOf(fact.said));
        return null;
      },
      end: (_last, open): Break | null => {
        const [first] = waiting.values();
        if (open || first === undefined) return null;
        return { at: first.at, message: `its ${first.item.type} ${first.item.key} was never dispatched` };
      },
    };
  },
};
