import { replayOf } from '@loom/job';
import type { Draft } from '@loom/log';
import { LoomError } from '@loom/service';
import type { FastifyRequest } from 'fastify';
import { idempotencyKey, requestBlock } from './http/request.ts';
import { identity } from './identity/authenticate.ts';
import { jobOf } from './jobs.ts';
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
  const replay = replayOf(await jobOf(parts, caller, id));
  const { seq, won } = await parts.log.append({ tenant: caller.tenant, stream: id }, draft, { replay });
  if (!won) throw new LoomError('idempotency_conflict', undefined, { field: 'Idempotency-Key' });
  return { seq };
}

/** Whether this very call was recorded before: it came with an `Idempotency-Key`, and its fact is there. Its first answer is then given again, whatever has become of the job. */
export async function isKnown(
  { log }: Parts,
  request: FastifyRequest,
  id: string,
  fact: Pick<Draft, 'type' | 'key'>,
): Promise<boolean> {
  if (idempotencyKey(request) === undefined) return false;
  return (
    (await log.getClear({ tenant: identity(request).tenant, stream: id }, 'gateway', fact.type, fact.key)) !== null
  );
}
