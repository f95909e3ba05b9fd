/**
 * One job shown to have gone as its facts say, in one reading.
 * V1  Sums and chains come first and need no key; what breaks them is named at its sequence and nothing behind it is believed.
 * V2  With the key, each decision, model request and tool input is made again of the facts before it.
 * V3  A dispatch was held to the very bytes of its decision's item, which was opened: it is not opened again.
 * V4  What another version decided, or was asked with other templates, is no fault: it is a remark.
 */
import { readRaw } from '@loom/log';
import type { Address, Log, RawFact } from '@loom/log';
import { basis, chain, dispatch, fence } from './domain/decisions.ts';
import { headersAgree } from './domain/facts.ts';
import { firstOf, isKnown } from './domain/rule.ts';
import type { Entry, Known, LogKind, Rule, Watch } from './domain/rule.ts';
import { entryReader } from './entries.ts';
import { Opening } from './opening.ts';
import type { Open } from './opening.ts';
import type { Broken } from './rederive.ts';
import { nothingMade, Walk } from './walk.ts';
import type { Made, Maker } from './walk.ts';

type Facts = AsyncIterable<RawFact> | Iterable<RawFact>;

interface Sealed {
  readonly facts: number;
  /** The first fact that does not hold. */
  readonly broken: Broken | null;
}

export interface Verified extends Made {
  readonly facts: number;
  readonly broken: Broken | null;
  /** The job's key was destroyed: sums and chains alone were verified. */
  readonly shredded: boolean;
}

const held: readonly Rule[] = [headersAgree, basis, fence, chain, dispatch];

/** Sums, chains, fences and dispatches of the facts of one job, in order; up to the first that does not hold. `see` is shown what holds. */
export async function verifySealed(
  facts: Facts,
  log: LogKind = { replicated: false },
  see: (entry: Known) => Promise<void> | void = () => undefined,
): Promise<Sealed> {
  const entryOf = entryReader();
  const watches = held.map((rule) => rule.watch(log));
  let count = 0;
  for await (const raw of facts) {
    const entry = entryOf(raw);
    const message = problemOf(entry, watches);
    count += 1;
    if (message !== null || !isKnown(entry))
      return { facts: count, broken: { seq: raw.seq, subject: raw.subject, message: message ?? entry.problem } };
    await see(entry);
  }
  return { facts: count, broken: null };
}

function problemOf(entry: Entry, watches: readonly Watch[]): string | null {
  if (!entry.sumHolds) return 'it does not have its sum';
  return isKnown(entry) ? firstOf(watches, ({ see }) => see(entry)) : entry.problem;
}

/** The facts of one job in order, wherever they lie, and what opens them. */
export interface Kept extends LogKind {
  readonly raw: Facts;
  readonly open: Open;
}

/** Verifies a job of a log up to a sequence. The log needs a vault. @throws LoomError `log_unavailable` */
export function verifyJob(log: Log, at: Address, upto: number, maker: Maker): Promise<Verified> {
  const kept: Kept = {
    replicated: log.replicated,
    raw: readRaw(log, at, { upto }),
    open: (fact) => log.open(fact),
  };
  return verifyKept(kept, at, maker);
}

/** What was made again is told once all sums and chains were found to hold. */
export async function verifyKept({ raw, open, ...kind }: Kept, at: Address, maker: Maker): Promise<Verified> {
  const walk = new Walk(at, maker);
  const openOnce: Open = (fact) => (fact.decision === null ? open(fact) : { ...fact, items: [], said: null });
  const opening = new Opening(openOnce, (fact, { fact: { decider } }) => walk.see(fact, decider));
  const sealed = await verifySealed(raw, kind, (entry) => opening.see(entry));
  if (sealed.broken !== null) return { ...nothingMade, ...sealed, shredded: false };
  const told = { ...walk.made, facts: sealed.facts, broken: null, shredded: false };
  const found = opening.end();
  if (found.kind === 'whole') return told;
  if (found.kind !== 'gone') return { ...told, broken: found.broken };
  if (found.cause.code !== 'key_destroyed') throw found.cause;
  return { ...told, shredded: true };
}
