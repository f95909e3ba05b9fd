import type { Address, RawFact } from '@loom/log';
import { Checker } from './domain/check.ts';
import type { Finding } from './domain/check.ts';
import type { LogKind } from './domain/rule.ts';
import { entryReader } from './entries.ts';

/** Holds the facts of one address, in order, against every rule: the first fact that breaks each. `open`: the job may still be running. */
export function checkJob(
  at: Address,
  facts: Iterable<RawFact>,
  open = false,
  log: LogKind = { replicated: false },
): readonly Finding[] {
  const checker = new Checker(at, log);
  const entryOf = entryReader();
  for (const raw of facts) checker.see(entryOf(raw));
  return checker.end(open);
}
