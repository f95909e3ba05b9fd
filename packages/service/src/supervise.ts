import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import { LoomError } from './errors.ts';
import { logger } from './logger.ts';

/** A loop that is kept going. */
export interface Supervised {
  /** False from a failure until the loop has run a second since. */
  healthy(): boolean;
  /** Settles once the signal aborted and the work has returned; never rejects. */
  readonly done: Promise<void>;
}

const steadyMs = 1_000;

/** Runs `work` until the signal aborts; when it throws or returns before, it is logged and begun again after a back-off. */
export function supervise(
  service: string,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Supervised {
  let failures = 0;
  const log = logger(service);
  const once = async (): Promise<void> => {
    const steady = setTimeout(() => (failures = 0), steadyMs);
    try {
      await work(signal);
      if (!signal.aborted) throw new LoomError('internal', 'the loop returned');
    } catch (cause) {
      if (signal.aborted) return;
      failures += 1;
      log.error({ err: cause, failures }, 'a loop failed and is begun again');
    } finally {
      clearTimeout(steady);
    }
  };
  const loop = async (): Promise<void> => {
    await Promise.resolve(); // the caller holds its handle before the work begins
    while (!signal.aborted) {
      await once();
      if (!signal.aborted) await sleep(backoffMs(failures), undefined, { signal }).catch(() => undefined);
    }
  };
  return { healthy: () => failures === 0, done: loop() };
}
