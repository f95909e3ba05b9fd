/** Raw facts of one address → entries that rules can look at: sums compared, hashes rolled, parsed where it can be. */
import { parseRaw, sumOfRaw } from '@loom/log';
import type { ParsedFact, RawFact } from '@loom/log';
import { LoomError } from '@loom/service';
import { hash } from 'node:crypto';
import type { Entry } from './domain/rule.ts';

/** Reads the facts of one address in order; owns the rolling hash. */
export function entryReader(): (raw: RawFact) => Entry {
  let chain = '';
  return (raw) => {
    const sum = raw.headers.find(([name]) => name === 'loom-sum')?.[1] ?? '';
    chain = hash('sha256', chain + sum, 'hex');
    const { stream, seq, subject } = raw;
    return { stream, seq, subject, chain, sumHolds: sum === sumOfRaw(raw), ...parsed(raw) };
  };
}

function parsed(raw: RawFact): { readonly fact: ParsedFact | null; readonly problem: string } {
  try {
    return { fact: parseRaw(raw), problem: '' };
  } catch (cause) {
    return { fact: null, problem: LoomError.from(cause).message };
  }
}
