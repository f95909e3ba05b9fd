import type { Job } from '@loom/job';
import type { Address } from '@loom/log';
import { LoomError } from '@loom/service';
import { isJobId } from './ids.ts';
import type { Identity } from './identity/tokens.ts';
import type { Parts } from './parts.ts';

/** Where a job of the caller's lies. @throws LoomError `not_found` for an id that is none, or of another tenant; no key is made for it */
export async function addressOf(
  { log }: Parts,
  caller: Identity,
  id: string,
): Promise<Address & { readonly submittedAt: number }> {
  const at = { tenant: caller.tenant, stream: id };
  const fact = isJobId(id) ? await log.getClear(at, 'gateway', 'job.submitted', '0') : null;
  if (fact === null) throw new LoomError('not_found');
  return { ...at, submittedAt: fact.seq };
}

/**
 * The caller's job, folded up to now. Others fold the same object further: read it before the next await.
 * @throws LoomError `not_found`
 */
export async function jobOf(parts: Parts, caller: Identity, id: string, minSeq = 0): Promise<Job> {
  const at = await addressOf(parts, caller, id);
  return parts.jobs.at({ tenant: at.tenant, stream: at.stream }, Math.max(minSeq, at.submittedAt));
}

/** @throws LoomError `job_ended` */
export function refuseEnded(job: Job): Job {
  if (job.ended !== null) throw new LoomError('job_ended');
  return job;
}
