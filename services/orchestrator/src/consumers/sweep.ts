/**
 * The slow sweep: folds every open job though nothing triggered it, so that a trigger lost by anything at all only costs time.
 * Owns the list of open jobs and how far it has read the log; both can be lost.
 */
import { endTypes } from '@loom/job';
import type { Address, Log, ScanCursor } from '@loom/log';
import type { FactType } from '@loom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Turns } from './turn.ts';

export class Sweep {
  readonly #log: Log;
  readonly #open = new Map<string, Address>();
  readonly #cursors = new Map<FactType, ScanCursor>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Jobs without a terminal fact, as far as the log can be read now. */
  async open(): Promise<readonly Address[]> {
    for (const at of await this.#news('gateway', 'job.submitted')) this.#open.set(at.stream, at);
    for (const type of endTypes) for (const at of await this.#news('orchestrator', type)) this.#open.delete(at.stream);
    return [...this.#open.values()];
  }

  async #news(source: 'gateway' | 'orchestrator', type: FactType): Promise<readonly Address[]> {
    const { found, cursor } = await this.#log.scan(source, type, this.#cursors.get(type));
    this.#cursors.set(type, cursor);
    return found;
  }
}

/** Sweeps at start and then every `everyMs` until the signal aborts; a job that fails is tried again next time. */
export async function sweepOpenJobs(
  log: Log,
  turns: Turns,
  everyMs: number,
  signal: AbortSignal,
  onError: (cause: unknown) => void,
): Promise<void> {
  const sweep = new Sweep(log);
  while (!signal.aborted) {
    try {
      for (const at of await sweep.open()) if (!signal.aborted) await turns.take(at, 0);
    } catch (cause) {
      onError(cause);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
