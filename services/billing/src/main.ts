import { startProjection } from '@loom/projection';
import { main } from '@loom/service';
import type { Env, Running } from '@loom/service';
import { usageView } from './views/usage.ts';

/** Starts the service: usage rows from the log. */
export function start(env: Env): Promise<Running> {
  return startProjection('billing', usageView, env);
}

main(import.meta, 'billing', start);
