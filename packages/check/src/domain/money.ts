/** Invariant 6: money is reserved before it is spent. Integer micro-USD. */
import type { RawItem } from '@loom/log';
import { firstOf, isAsk, isEnd, isOutcome, slotOf } from './rule.ts';
import type { Outcome, Rule } from './rule.ts';

type Forked = Extract<RawItem, { type: 'job.forked' }>['body'];

interface Books {
  cap: number;
  settled: number;
  reserved: number;
  /** What open slots hold. */
  readonly open: Map<string, number>;
}

const newBooks = (): Books => ({ cap: 0, settled: 0, reserved: 0, open: new Map() });

/** Books an item; a slot opens once and closes once, whatever the log repeats. */
function book(books: Books, item: RawItem): void {
  if (item.type === 'job.forked') takeOver(books, item.body);
  if (item.type === 'job.accepted' || item.type === 'budget.changed') books.cap = item.body.budget_micros;
  if (isAsk(item) && !books.open.has(slotOf(item))) {
    books.open.set(slotOf(item), item.body.reserved_micros);
    books.reserved += item.body.reserved_micros;
  }
  if (!isOutcome(item)) return;
  books.reserved -= books.open.get(slotOf(item)) ?? 0;
  books.settled += item.body.cost_micros;
  books.open.set(slotOf(item), 0);
}

/** A playback goes on with the parent's books, a re-execution begins its own. */
function takeOver(books: Books, { mode, budget_micros, recorded_micros }: Forked): void {
  books.cap = budget_micros;
  books.settled = mode === 'playback' ? recorded_micros : 0;
}

export const cap: Rule = {
  name: 'cap',
  invariant: 6,
  promise: 'settled + reserved never exceed the cap.',
  watch: () => {
    const books = newBooks();
    return {
      see: ({ fact }) => {
        for (const item of fact.items) book(books, item);
        const { settled, reserved } = books;
        if (settled + reserved <= books.cap) return null;
        return `${settled} settled and ${reserved} reserved are more than the cap of ${books.cap} micro-USD`;
      },
    };
  },
};

export const cost: Rule = {
  name: 'cost',
  invariant: 6,
  promise:
    'No slot costs more than it reserved, and a lost one costs all of it unless its own worker says that nothing was sent.',
  watch: () => {
    const reserved = new Map<string, number>();
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          if (isAsk(item)) reserved.set(slotOf(item), item.body.reserved_micros);
          if (item.type === 'model.called')
            return within(item.body.cost_micros, reserved.get(`step ${item.body.slot}`));
          return isOutcome(item) ? costOf(item, reserved.get(slotOf(item)), fact.writer !== fact.source) : null;
        }),
    };
  },
};

function within(micros: number, reserved: number | undefined): string | null {
  if (micros < 0) return `it costs ${micros} micro-USD`;
  return reserved === undefined || micros <= reserved ? null : `it costs ${micros} of ${reserved} micro-USD reserved`;
}

function costOf(item: Outcome, reserved: number | undefined, settledForIt: boolean): string | null {
  const { outcome, cost_micros } = item.body;
  if (outcome !== 'lost' || reserved === undefined || cost_micros === reserved) return within(cost_micros, reserved);
  if (cost_micros === 0 && !settledForIt) return null;
  return `it was lost and costs ${cost_micros} of ${reserved} micro-USD reserved`;
}

export const spent: Rule = {
  name: 'spent',
  invariant: 6,
  promise: 'The terminal fact names what was settled.',
  watch: () => {
    const books = newBooks();
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          book(books, item);
          if (!isEnd(item) || item.body.spent_micros === books.settled) return null;
          return `it says ${item.body.spent_micros} micro-USD were spent, ${books.settled} were settled`;
        }),
    };
  },
};
