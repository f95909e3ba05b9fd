import { natsBlobs } from '@loom/blobs';
import { startProjection } from '@loom/projection';
import type { Parts } from '@loom/projection';
import { config, main, measureStreams } from '@loom/service';
import type { Env, Running } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { settings } from './config.ts';
import { sweepArtifacts } from './consumers/sweep.ts';
import { artifactView } from './views/artifacts.ts';

/** Starts the service: the table of deadlines from the log, and the sweep that keeps them. `clock` in Unix ms; by default the log's. */
export async function start(env: Env, clock?: () => number): Promise<Running> {
  const { artifactDays: days, sweepMinutes } = config(settings, env);
  const sweep = async ({ log, pool }: Parts, signal: AbortSignal): Promise<void> => {
    signal.addEventListener('abort', measureStreams(log), { once: true });
    const blobs = await natsBlobs({ connection: log.connection });
    while (!signal.aborted) {
      await sweepArtifacts({ log, pool, blobs, days, signal }, clock?.() ?? log.now());
      await sleep(sweepMinutes * 60_000, undefined, { signal }).catch(() => undefined);
    }
  };
  return startProjection('retention', artifactView, env, sweep);
}

main(import.meta, 'retention', start);
