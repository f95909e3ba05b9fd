/** The rules, and one job held against all of them. */
import { join } from './agents.ts';
import { basis, chain, dispatch, dispatched, fence, shape } from './decisions.ts';
import { allSettled, ends, epoch, lastWord, oneEnd } from './ending.ts';
import { begins, headersAgree, oneId, oneSubject, ownSource, wholeSum } from './facts.ts';
import { replayed } from './forks.ts';
import { cap, cost, spent } from './money.ts';
import { isKnown } from './rule.ts';
import type { Break, Entry, LogKind, Rule, Watch } from './rule.ts';
import { askedFirst, claimedFirst, oneOutcome, oneRequest } from './slots.ts';

const readable: Rule = {
  name: 'readable',
  invariant: 2,
  promise: 'Every fact can be decoded, and its body is what its subject says.',
  watch: () => ({ see: () => null }),
};

const ofAny: readonly Rule[] = [oneSubject, oneId, wholeSum, headersAgree, ownSource];
const ofJobs: readonly Rule[] = [
  begins,
  oneOutcome,
  askedFirst,
  oneRequest,
  join,
  claimedFirst,
  cap,
  cost,
  spent,
  shape,
  basis,
  fence,
  chain,
  dispatch,
  dispatched,
  epoch,
  allSettled,
  oneEnd,
  lastWord,
  ends,
  replayed,
];

/** All rules; those of jobs do not hold for `account` and `system`. */
export const rules: readonly Rule[] = [readable, ...ofAny, ...ofJobs];

/** The first fact at which a rule is broken. */
export interface Finding {
  readonly rule: string;
  /** Number of the invariant in the design. */
  readonly invariant: number;
  readonly tenant: string;
  /** Job id, `account` or `system`. */
  readonly job: string;
  /** JetStream stream, sequence and subject of the fact. */
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  readonly message: string;
}

interface At {
  readonly tenant: string;
  readonly stream: string;
}

/** Holds one address against the rules, fact by fact; owns a finding a rule at most, the first. */
export class Checker {
  readonly #at: At;
  readonly #watches: ReadonlyMap<Rule, Watch>;
  readonly #broken = new Map<Rule, Break>();
  #last: Entry | null = null;

  constructor(at: At, log: LogKind) {
    this.#at = at;
    const own = at.stream.startsWith('job_') ? [...ofAny, ...ofJobs] : ofAny;
    this.#watches = new Map(own.map((rule) => [rule, rule.watch(log)]));
  }

  see(entry: Entry): void {
    this.#last = entry;
    if (!isKnown(entry)) return this.#note(readable, { at: entry, message: entry.problem });
    for (const [rule, { see }] of this.#watches) {
      const message = see(entry);
      if (message !== null) this.#note(rule, { at: entry, message });
    }
  }

  /** Findings in the order of the log. `open`: the job may still be running. */
  end(open: boolean): readonly Finding[] {
    const last = this.#last;
    if (last !== null)
      for (const [rule, { end }] of this.#watches) {
        const broken = end?.(last, open) ?? null;
        if (broken !== null) this.#note(rule, broken);
      }
    return [...this.#broken].map(([rule, found]) => this.#finding(rule, found)).toSorted((a, b) => a.seq - b.seq);
  }

  #note(rule: Rule, found: Break): void {
    if (!this.#broken.has(rule)) this.#broken.set(rule, found);
  }

  #finding({ name, invariant }: Rule, { at, message }: Break): Finding {
    const { stream, seq, subject } = at;
    const { tenant, stream: job } = this.#at;
    return { rule: name, invariant, tenant, job, stream, seq, subject, message };
  }
}
