import { startProjection } from '@loom/projection';
import type { Parts } from '@loom/projection';
import { config, main } from '@loom/service';
import type { Env, Running } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import { client } from './client.ts';
import { settings } from './config.ts';
import { runSuite } from './run-suite.ts';
import { suiteNamed } from './suites.ts';
import { suiteRunView } from './views/suite-runs.ts';

/** Starts the service: the table of scores, and, given a gateway, a token and an interval, the suites on their schedule. */
export async function start(env: Env): Promise<Running> {
  const { gatewayUrl: url, token, suites, everyMinutes } = config(settings, env);
  if (url === null || token === null || everyMinutes === 0) return startProjection('evals', suiteRunView, env);
  const every = everyMinutes * 60_000;
  const onSchedule = async ({ log }: Parts, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const slot = Math.floor(log.now() / every);
      const parts = { client: client({ url, token, signal }), log, run: `s${slot * everyMinutes}`, signal };
      for (const name of suites) await runSuite(parts, await suiteNamed(name));
      await sleep((slot + 1) * every - log.now(), undefined, { signal }).catch(() => undefined);
    }
  };
  return startProjection('evals', suiteRunView, env, onSchedule);
}

main(import.meta, 'evals', start);
