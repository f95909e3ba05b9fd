/** Invariants 6 and 11: old epochs move nothing, every slot is settled, and every job ends once. */
import { firstOf, isAsk, isEnd, isOutcome, slotOf } from './rule.ts';
import type { Rule } from './rule.ts';

export const epoch: Rule = {
  name: 'epoch',
  invariant: 6,
  promise:
    'Epochs only rise, and work is asked for under the one that holds; a playback asks again for what was open under an older one.',
  watch: () => {
    let now = 0;
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          if (item.type === 'job.forked') now = item.body.epoch;
          const older = fact.replay === 'playback';
          if (isAsk(item) && (older ? item.body.epoch > now : item.body.epoch !== now))
            return `${slotOf(item)} is asked for under epoch ${item.body.epoch}, it is ${now}`;
          if (item.type !== 'epoch.raised') return null;
          const before = now;
          now = item.body.epoch;
          return now > before ? null : `epoch ${now} follows ${before}`;
        }),
    };
  },
};

export const allSettled: Rule = {
  name: 'all-settled',
  invariant: 11,
  promise: 'The terminal fact waits until every slot is settled.',
  watch: () => {
    const open = new Set<string>();
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          if (isAsk(item)) open.add(slotOf(item));
          if (isOutcome(item)) open.delete(slotOf(item));
          if (!isEnd(item) || open.size === 0) return null;
          return `the job ends while ${[...open].slice(0, 3).join(', ')} ${open.size > 1 ? 'are' : 'is'} not settled`;
        }),
    };
  },
};

export const oneEnd: Rule = {
  name: 'one-end',
  invariant: 11,
  promise: 'A job has one terminal fact.',
  watch: () => {
    let ended = 0;
    return {
      see: ({ seq, fact }) =>
        firstOf(fact.items, (item) => {
          if (!isEnd(item)) return null;
          const before = ended;
          ended ||= seq;
          return before === 0 ? null : `the job ended at ${before} already`;
        }),
    };
  },
};

export const lastWord: Rule = {
  name: 'last-word',
  invariant: 11,
  promise: "The terminal fact is the orchestrator's last.",
  watch: () => {
    let ended = 0;
    return {
      see: ({ seq, fact: { source, type, items } }) => {
        if (ended > 0 && source === 'orchestrator' && type !== 'message.parked' && !items.some(isEnd))
          return `the job ended at ${ended} already`;
        const at = items.findIndex(isEnd);
        if (at >= 0) ended ||= seq;
        return at >= 0 && at < items.length - 1 ? 'the job ends in the middle of a decision' : null;
      },
    };
  },
};

export const ends: Rule = {
  name: 'ends',
  invariant: 11,
  promise: 'Every job ends.',
  watch: () => {
    let ended = false;
    return {
      see: ({ fact }) => {
        ended ||= fact.items.some(isEnd);
        return null;
      },
      end: (last, open) => (open || ended ? null : { at: last, message: 'the job has not ended' }),
    };
  },
};
