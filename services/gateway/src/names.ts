import type { FastifyRequest } from 'fastify';
import { idempotencyKey } from './http/request.ts';
import { identity } from './identity/authenticate.ts';
import { nameOf } from './ids.ts';
import type { Parts } from './parts.ts';

/** A name for what this call creates. The tenant's keys are opened only where the name hangs on them. */
export async function nameFor({ vault }: Parts, request: FastifyRequest, route: string): Promise<string> {
  const key = idempotencyKey(request);
  if (key === undefined) return nameOf(null);
  return nameOf({ keys: await vault.open(identity(request).tenant, 'account'), route, key });
}
