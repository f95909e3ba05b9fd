/** Scores of suites that come in while jobs run, so that evals has rows to lose: written as its own suites write them. */
import type { Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { logAs } from './logs.ts';
import type { Rig } from './rig.ts';

const everyMs = 700;

/** Until the signal aborts; how many there are. A log that is away is waited for. */
export async function keepScore({ stack, random }: Rig, signal: AbortSignal): Promise<number> {
  await using log = await logAs(stack, 'evals');
  let count = 0;
  for (; !signal.aborted; count += 1) {
    await append(log, `storm-${count}`, random.below(1_000_000));
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return count;
}

async function append(log: Log, key: string, score_ppm: number): Promise<void> {
  const body = { suite: 'storm', cases: 10, passed: score_ppm % 11, score_ppm, jobs: [], duration_ms: everyMs };
  for (;;)
    try {
      await log.append({ tenant: '_', stream: 'system' }, { type: 'suite.ran', key, body });
      return;
    } catch (cause) {
      if (LoomError.from(cause).code !== 'log_unavailable') throw cause;
    }
}
