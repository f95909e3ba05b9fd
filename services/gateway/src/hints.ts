/**
 * Owns the process's one subscription to the log's subjects and who waits for which job.
 * H1  A hint is never needed: whoever waits also polls, since a hint can be lost, or come before its fact can be read.
 */
import type { Address, Log } from '@loom/log';

export interface Hints {
  /** Calls `ring` whenever something may have been appended there. Returns the function that ends it. */
  on(at: Address, ring: () => void): () => void;
  stop(): void;
}

const name = (at: Address): string => `${at.tenant}/${at.stream}`;

export function hints(log: Log): Hints {
  const waiting = new Map<string, Set<() => void>>();
  const stop = log.watch((hint) => waiting.get(name(hint))?.forEach((ring) => ring()));
  return {
    stop,
    on(at, ring) {
      const key = name(at);
      const rings = waiting.get(key) ?? new Set();
      waiting.set(key, rings.add(ring));
      return () => {
        rings.delete(ring);
        if (rings.size === 0 && waiting.get(key) === rings) waiting.delete(key);
      };
    },
  };
}
