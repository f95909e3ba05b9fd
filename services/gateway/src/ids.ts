import { createHash } from 'node:crypto';
import type { Keys } from '@loom/vault';
import { v7 } from 'uuid';
import { base32 } from './domain/base32.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const length = 26;

/** The tenant's token in subjects: of its organisation, or of the person alone. */
export const tenantToken = (account: string): string => `t${base32(sha256(account), 20)}`;

/** A session as the log names it; the session's id itself is a bearer's secret to nobody, but is not for the log. */
export const sessionToken = (session: string): string => base32(sha256(session), length);

/** A name for what a call creates: with the same `Idempotency-Key` on the same route of a tenant (whose keys are given) the same, without one fresh and sorting by time. */
export function nameOf(keyed: { readonly keys: Keys; readonly route: string; readonly key: string } | null): string {
  if (keyed === null) return base32(v7(undefined, new Uint8Array(16)), length);
  return base32(keyed.keys.hmac('id', Buffer.from(JSON.stringify([keyed.route, keyed.key]))), length);
}

/** A job id of layout generation 0. */
export const jobId = (name: string): string => `job_0${name}`;

export const isJobId = (id: string): boolean => /^job_0[0-9a-hjkmnp-tv-z]{26}$/.test(id);
