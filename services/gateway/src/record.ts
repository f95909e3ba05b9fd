import type { Draft } from '@loom/log';
import { LoomError } from '@loom/service';
import type { FastifyRequest } from 'fastify';
import { requestBlock } from './http/request.ts';
import { identity } from './identity/authenticate.ts';
import type { Parts } from './parts.ts';

/** Appends what a call asks of a job, the sign-in first. @throws LoomError `idempotency_conflict` when its key stands for something else */
export async function record(
  parts: Parts,
  request: FastifyRequest,
  id: string,
  draft: Draft,
): Promise<{ readonly seq: number }> {
  const caller = identity(request);
  await parts.signIn(caller, requestBlock(request, ''));
  const { seq, won } = await parts.log.append({ tenant: caller.tenant, stream: id }, draft);
  if (!won) throw new LoomError('idempotency_conflict', undefined, { field: 'Idempotency-Key' });
  return { seq };
}
