/**
 * Owns the signals of the runs in hand: one each, aborted when its job or agent is killed.
 *
 * K1. A hint is no truth: it only makes this process read the facts, by subject.
 * K2. The facts are read before the effect as well, so a kill from before the request is seen without any hint.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Address, Hint, Log } from '@loom/log';

/** Whose run it is. */
export interface Runner extends Address {
  readonly agent: string;
  readonly epoch: number;
}

export interface Kills extends Disposable {
  /** A signal for a run; call `done` when it has ended. */
  guard(runner: Runner): { readonly signal: AbortSignal; readonly done: () => void };
  /** Whether the job, or this agent of it, was killed: read from the log. */
  killed(runner: Runner): Promise<boolean>;
}

type Reader = Pick<Log, 'getClear' | 'watch'>;

/** A hint may come before its fact can be read: when to look, ms after it. */
const looks = [0, 50, 200, 1000] as const;

export function watchKills(log: Reader): Kills {
  const running = new Map<AbortController, Runner>();
  const killed = (runner: Runner): Promise<boolean> => isKilled(log, runner);
  const look = async (controller: AbortController, runner: Runner): Promise<void> => {
    for (const after of looks) {
      await delay(after, undefined, { ref: false });
      if (controller.signal.aborted || !running.has(controller)) return;
      if (await killed(runner).catch(() => false)) controller.abort();
    }
  };
  const end = log.watch((hint) => {
    if (!isKillHint(hint)) return;
    for (const [controller, runner] of running) {
      if (runner.stream === hint.stream && runner.tenant === hint.tenant) void look(controller, runner);
    }
  });
  return {
    killed,
    guard: (runner) => {
      const controller = new AbortController();
      running.set(controller, runner);
      return { signal: controller.signal, done: () => void running.delete(controller) };
    },
    [Symbol.dispose]: end,
  };
}

const isKillHint = ({ type }: Hint): boolean => type === 'job.kill-requested' || type === 'epoch.raised';

/** The request to kill the job (key `0`) or the agent (its id), or the epoch after the run's. */
async function isKilled(log: Reader, { tenant, stream, agent, epoch }: Runner): Promise<boolean> {
  const at = { tenant, stream };
  const facts = await Promise.all([
    log.getClear(at, 'gateway', 'job.kill-requested', '0'),
    log.getClear(at, 'gateway', 'job.kill-requested', agent),
    log.getClear(at, 'orchestrator', 'epoch.raised', String(epoch + 1)),
  ]);
  return facts.some((fact) => fact !== null);
}
