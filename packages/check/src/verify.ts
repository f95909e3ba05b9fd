/**
 * One job shown to have gone as its facts say.
 * V1  Sums and chains come first and need no key; what breaks them is named at its sequence and nothing behind it is believed.
 * V2  With the key, each decision, model request and tool input is made again of the facts before it.
 * V3  What another version decided, or was asked with other templates, is no fault: it is a remark.
 */
import { readRaw } from '@loom/log';
import type { Address, Fact, Log, RawFact, ReadOptions } from '@loom/log';
import { LoomError } from '@loom/service';
import { followed, nextOf, whyShut } from './derive.ts';
import { basis, chain, dispatch, fence } from './domain/decisions.ts';
import { headersAgree } from './domain/facts.ts';
import { firstOf, isDecision, isKnown } from './domain/rule.ts';
import type { Entry, LogKind, Rule, Watch } from './domain/rule.ts';
import { entryReader } from './entries.ts';
import type { Broken } from './rederive.ts';
import { Walk } from './walk.ts';
import type { Made, Maker } from './walk.ts';

export interface Sealed {
  readonly facts: number;
  /** Version of the decider by sequence of the decision. */
  readonly deciders: ReadonlyMap<number, string>;
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

/** Sums, chains, fences and dispatches of the facts of one job, in order; up to the first that does not hold. */
export async function verifySealed(
  facts: AsyncIterable<RawFact> | Iterable<RawFact>,
  log: LogKind = { replicated: false },
): Promise<Sealed> {
  const entryOf = entryReader();
  const watches = held.map((rule) => rule.watch(log));
  const deciders = new Map<number, string>();
  let count = 0;
  for await (const raw of facts) {
    const entry = entryOf(raw);
    const message = problemOf(entry, watches);
    count += 1;
    if (message !== null) return { facts: count, deciders, broken: { seq: raw.seq, subject: raw.subject, message } };
    if (isKnown(entry) && isDecision(entry)) deciders.set(entry.seq, entry.fact.decider);
  }
  return { facts: count, deciders, broken: null };
}

function problemOf(entry: Entry, watches: readonly Watch[]): string | null {
  if (!entry.sumHolds) return 'it does not have its sum';
  return isKnown(entry) ? firstOf(watches, ({ see }) => see(entry)) : entry.problem;
}

/** The facts of one job behind a sequence and up to one, in order, wherever they lie. */
export interface Kept extends LogKind {
  raw(options: ReadOptions): AsyncGenerator<RawFact>;
  opened(options: ReadOptions): AsyncIterable<Fact>;
}

/** Verifies a job of a log up to a sequence. The log needs a vault. @throws LoomError `log_unavailable` */
export function verifyJob(log: Log, at: Address, upto: number, maker: Maker): Promise<Verified> {
  const kept = {
    replicated: log.replicated,
    raw: (options: ReadOptions) => readRaw(log, at, options),
    opened: (options: ReadOptions) => log.read(at, options),
  };
  return verifyKept(kept, at, upto, maker);
}

/** Verifies a job up to a sequence. */
export async function verifyKept(kept: Kept, at: Address, upto: number, maker: Maker): Promise<Verified> {
  const sealed = await verifySealed(kept.raw({ upto }), kept);
  const walk = new Walk(at, maker, sealed.deciders);
  const told = (broken: Broken | null, shredded = false): Verified => ({
    ...walk.made,
    facts: sealed.facts,
    broken,
    shredded,
  });
  if (sealed.broken !== null) return told(sealed.broken);
  const read = { seq: 0 };
  try {
    return told(await walk.all(followed(kept.opened({ upto }), read)));
  } catch (cause) {
    if (LoomError.from(cause).code === 'key_destroyed') return told(null, true);
    const message = whyShut(cause);
    if (message === null) throw cause;
    return told(await nextOf(kept.raw({ after: read.seq }), read.seq, message));
  }
}
