/**
 * The slow sweep: folds every open job though nothing triggered it, so that a trigger lost by anything at all only costs time.
 * Owns the list of open jobs and how far it has read the log; both can be lost.
 */
import { endTypes, isEnd } from '@loom/job';
import type { Head, Log, ScanCursor } from '@loom/log';
import type { FactType } from '@loom/schemas';
import { inLanes } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Turns } from './turn.ts';

/** Playbacks that are asked at once whether they have ended. */
const askedAtOnce = 16;

export class Sweep {
  readonly #log: Pick<Log, 'scan' | 'getLastClear'>;
  readonly #open = new Map<string, Head>();
  /** Jobs whose end was seen before their submission: replicas answer as far as each has come. */
  readonly #early = new Set<string>();
  readonly #cursors = new Map<FactType, ScanCursor>();

  constructor(log: Pick<Log, 'scan' | 'getLastClear'>) {
    this.#log = log;
  }

  /** The submissions of jobs without a terminal fact, as far as the log can be read now. */
  async open(): Promise<readonly Head[]> {
    for (const job of await this.#news('gateway', 'job.submitted'))
      if (!this.#early.delete(job.stream)) this.#open.set(job.stream, job);
    for (const type of endTypes)
      for (const { stream } of await this.#news('orchestrator', type))
        if (!this.#open.delete(stream)) this.#early.add(stream);
    const playbacks = [...this.#open.values()].filter(({ replay }) => replay === 'playback');
    await inLanes(askedAtOnce, playbacks, (job) => this.#letGoIfOver(job));
    return [...this.#open.values()];
  }

  /**
   * A playback ends beside the mark of its parent's end: within its last decision, where no scan by subject finds it. What cannot be read
   * counts as open; its turn tells why.
   */
  async #letGoIfOver(playback: Head): Promise<void> {
    const last = await this.#log.getLastClear(playback, 'orchestrator', 'decision.made').catch(() => null);
    if (last?.items.some(isEnd)) this.#open.delete(playback.stream);
  }

  async #news(source: 'gateway' | 'orchestrator', type: FactType): Promise<readonly Head[]> {
    const { found, cursor } = await this.#log.scan(source, type, this.#cursors.get(type));
    this.#cursors.set(type, cursor);
    return found;
  }
}

/** Sweeps at start and then every `everyMs` until the signal aborts; a job that fails keeps no other waiting, and is tried again next time. */
export async function sweepOpenJobs(
  log: Log,
  turns: Turns,
  everyMs: number,
  signal: AbortSignal,
  onError: (cause: unknown) => void,
): Promise<void> {
  const sweep = new Sweep(log);
  while (!signal.aborted) {
    const open = await sweep.open().catch((cause: unknown) => (onError(cause), []));
    for (const at of open) if (!signal.aborted) await turns.take(at, 0).catch(onError);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
