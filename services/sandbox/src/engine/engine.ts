/**
 * Owns the connection to the container engine, the pool and the reaper.
 *
 * E1. A missing engine is no reason not to start: each call then says what is missing.
 * E2. Orphans of dead processes are removed at the start and once a minute.
 */
import type { Logger } from '@loom/service';
import type { Limits } from '../domain/limits.ts';
import { connectDocker } from './docker.ts';
import type { DockerSettings } from './docker.ts';
import { openPool } from './pool.ts';
import type { Pool } from './pool.ts';
import { labels, reap } from './reaper.ts';

export interface Engine extends AsyncDisposable {
  readonly pool: Pool;
  readonly limits: Limits;
}

const sweepMs = 60_000;

export async function openEngine(
  settings: DockerSettings & { readonly poolSize: number },
  log: Pick<Logger, 'warn'>,
): Promise<Engine> {
  const docker = connectDocker(settings.socket);
  const sweep = async (alive: ReadonlySet<string>): Promise<void> => {
    try {
      await reap(docker, settings.pool, alive);
    } catch (cause) {
      log.warn({ err: cause }, 'the container engine does not answer');
    }
  };
  await sweep(new Set());
  const pool = openPool(docker, settings, settings.poolSize, labels(settings.pool));
  const timer = setInterval(() => void sweep(pool.alive()), sweepMs).unref();
  return {
    pool,
    limits: settings.limits,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await pool[Symbol.asyncDispose]();
    },
  };
}
