import { startProjection } from '@loom/projection';
import { main } from '@loom/service';
import type { Env, Running } from '@loom/service';
import { auditView } from './views/audit-log.ts';

/** Starts the service: the audit trail from the log. */
export function start(env: Env): Promise<Running> {
  return startProjection('audit', auditView, env);
}

main(import.meta, 'audit', start);
