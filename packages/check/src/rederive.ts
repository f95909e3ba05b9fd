/** Invariant 4 over a log: every decision is what `decide` says of the fold that it stands on. Needs keys. */
import { emptyJob, evolve } from '@loom/job';
import type { Job } from '@loom/job';
import { subjectOf } from '@loom/log';
import type { Address, Draft, Fact, Item } from '@loom/log';
import { canonical } from '@loom/schemas';
import type { FactType } from '@loom/schemas';
import { isDeepStrictEqual } from 'node:util';
import type { Finding } from './domain/check.ts';

/** What the decider says of a state. `recorded` is only for the input from outside that `job.accepted` holds; null: it cannot be asked. */
export type Decide = (job: Job, recorded: readonly Item[]) => readonly Draft[] | null;

/** The decision that comes out otherwise. */
export type Broken = Pick<Finding, 'seq' | 'subject' | 'message'>;

export interface Rederived {
  readonly decisions: number;
  /** Decisions that stand on input which nobody recorded. */
  readonly skipped: number;
  /** The first decision that comes out otherwise. */
  readonly broken: Broken | null;
}

/** A fenced decision: neither a dispatch nor a parked message. */
export const foldsDecision = ({ source, decision, type }: Fact): boolean =>
  source === 'orchestrator' && decision === null && type !== 'message.parked';

/** Folds the facts of a job and derives each decision anew from the state at its basis. */
export async function rederive(
  at: Address,
  facts: AsyncIterable<Fact> | Iterable<Fact>,
  decide: Decide,
): Promise<Rederived> {
  const job = emptyJob(at);
  const ahead: Fact[] = [];
  let decisions = 0;
  let skipped = 0;
  for await (const fact of facts) {
    if (foldsDecision(fact)) {
      while (ahead[0] !== undefined && ahead[0].seq <= fact.basis) evolve(job, ahead.shift() as Fact);
      const derived = decide(job, fact.items);
      decisions += 1;
      if (derived === null) skipped += 1;
      const message = derived === null ? null : difference(derived, fact.items);
      if (message !== null)
        return { decisions, skipped, broken: { seq: fact.seq, subject: subjectFor(fact), message } };
    }
    ahead.push(fact);
  }
  return { decisions, skipped, broken: null };
}

export const subjectFor = (fact: Fact): string => subjectOf(fact, fact.source, fact.type, fact.key);

/** What is not the same, without a word of content; null when all is, byte for byte in canonical Avro. */
export function difference(derived: readonly Draft[], recorded: readonly Item[]): string | null {
  const names = (items: readonly { readonly type: FactType; readonly key: string }[]): string =>
    items.map(({ type, key }) => `${type} ${key}`).join(', ') || 'nothing';
  if (names(derived) !== names(recorded)) return `it says ${names(recorded)}; derived anew: ${names(derived)}`;
  const other = derived.findIndex((draft, i) => !same(draft, recorded[i] as Item));
  if (other < 0) return null;
  const fields = fieldsThatDiffer(derived[other] as Draft, recorded[other] as Item);
  return `its ${names(recorded.slice(other, other + 1))} comes out otherwise when derived anew: ${fields.join(', ')}`;
}

function fieldsThatDiffer({ body: derived }: Draft, { body: recorded }: Item): readonly string[] {
  const other = new Map(Object.entries(recorded));
  return Object.entries(derived).flatMap(([name, value]) => (isDeepStrictEqual(value, other.get(name)) ? [] : [name]));
}

const same = (draft: Draft, item: Item): boolean =>
  canonical(draft.type, draft.body).equals(canonical(item.type, item.body));
