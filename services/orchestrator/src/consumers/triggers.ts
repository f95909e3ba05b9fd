import type { Head, Log } from '@loom/log';
import type { Turns } from './turn.ts';

/** Facts of jobs that may let the decider see something missing: each is acknowledged after a turn that saw it. */
export function consumeTriggers(log: Log, turns: Turns, width: number, signal: AbortSignal): Promise<void> {
  const handle = (fact: Head): Promise<void> =>
    isJob(fact.stream) ? turns.take(fact, fact.seq, fact.traceparent) : Promise.resolve();
  return log.consume({ service: 'orchestrator', open: 'head', width, signal, handle });
}

/** Timers that have come: the fact first, then the turn that it triggers through the log. */
export function consumeTimers(log: Log, signal: AbortSignal): Promise<void> {
  return log.consumeTimers(async (at, { kind, key, dueMs }) => {
    const first = await log.getClear(at, 'gateway', 'job.submitted', '0');
    await log.append(
      at,
      { type: 'timer.fired', key: `${kind}-${key}`, body: { kind, due: dueMs } },
      { source: 'timer', ...(first?.replay && { replay: first.replay }) },
    );
  }, signal);
}

export const isJob = (stream: string): boolean => stream.startsWith('job_');
