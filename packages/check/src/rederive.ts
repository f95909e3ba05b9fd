/** Invariant 4 over a log: every decision is what `decide` says of the fold that it stands on. Needs keys. */
import type { Job } from '@loom/job';
import { subjectOf } from '@loom/log';
import type { Address, Draft, Fact, Item } from '@loom/log';
import { canonical } from '@loom/schemas';
import type { FactType } from '@loom/schemas';
import { isDeepStrictEqual } from 'node:util';
import { Basis } from './basis.ts';
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

/** Derives each decision of a job anew from the state at its basis. */
export class Rederivation {
  readonly #basis: Basis;
  readonly #decide: Decide;
  decisions = 0;
  skipped = 0;

  constructor(at: Address, decide: Decide) {
    this.#basis = new Basis(at);
    this.#decide = decide;
  }

  /** The next fact; told when it is a decision that comes out otherwise. */
  see(fact: Fact): Broken | null {
    const message = foldsDecision(fact) ? this.#derive(fact) : null;
    this.#basis.add(fact);
    return message === null ? null : { seq: fact.seq, subject: subjectFor(fact), message };
  }

  #derive(fact: Fact): string | null {
    const derived = this.#decide(this.#basis.of(fact), fact.items);
    this.decisions += 1;
    if (derived === null) this.skipped += 1;
    return derived === null ? null : difference(derived, fact.items);
  }
}

/** All decisions of a job, up to the first that comes out otherwise. */
export function rederive(at: Address, facts: Iterable<Fact>, decide: Decide): Rederived {
  const derived = new Rederivation(at, decide);
  let broken: Broken | null = null;
  for (const fact of facts) broken ??= derived.see(fact);
  return { decisions: derived.decisions, skipped: derived.skipped, broken };
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
