/**
 * Owns the signals of the model calls in hand: one each, aborted when the job does not want its call any more, or its time is up.
 *
 * K1. A hint is no truth: it only makes this process read the job's facts again.
 * K2. The facts are read before the effect as well, so a kill from before the request is seen without any hint.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { halted } from '@loom/job';
import type { JobCache } from '@loom/job';
import type { Address, Log } from '@loom/log';

/** Whose call it is. */
export interface Work extends Address {
  readonly agent: string;
  readonly epoch: number;
}

interface Guard {
  readonly signal: AbortSignal;
  /** Why the call is not wanted any more; null while it is, and where its time was up. */
  readonly why: () => string | null;
  readonly done: () => void;
}

export interface Kills extends Disposable {
  /** A signal for a call, which may take so many ms; `done` when it has ended. */
  guard(work: Work, allowed: number): Guard;
  /** Breaks off what is in hand because this process ends; it is tried again elsewhere. */
  drain(): void;
}

/** Why calls are broken off at the end of a process. */
export const DRAINED = 'worker_stopped';

/** The message is the code of the reason. */
class Halt extends Error {}

/** A hint may come before its fact can be read: when to look, ms after the look before. */
const looks = [0, 50, 200, 1000] as const;

export function watchKills(log: Pick<Log, 'watch'>, jobs: Pick<JobCache, 'at'>): Kills {
  const running = new Map<AbortController, Work>();
  const look = async (controller: AbortController, work: Work): Promise<void> => {
    for (const after of looks) {
      await delay(after, undefined, { ref: false });
      if (controller.signal.aborted || !running.has(controller)) return;
      const why = await jobs.at(work).then(
        (job) => halted(job, work),
        () => null,
      );
      if (why !== null) controller.abort(new Halt(why));
    }
  };
  const end = log.watch((hint) => {
    for (const [controller, work] of running) {
      if (work.stream === hint.stream && work.tenant === hint.tenant) void look(controller, work);
    }
  });
  return {
    guard: (work, allowed) => {
      const controller = new AbortController();
      const { signal } = controller;
      running.set(controller, work);
      const timer = setTimeout(() => controller.abort(new DOMException('The time is up.', 'TimeoutError')), allowed);
      const done = (): void => {
        clearTimeout(timer);
        running.delete(controller);
      };
      return { signal, why: () => (signal.reason instanceof Halt ? signal.reason.message : null), done };
    },
    drain: () => {
      for (const controller of running.keys()) controller.abort(new Halt(DRAINED));
    },
    [Symbol.dispose]: end,
  };
}
