/**
 * Puts one job on the log.
 * G3  Nothing is stored before every check has passed; blobs go before the fact that names them.
 * G4  One job id, one submission: a retried call meets its own fact, another one under the same key is refused.
 */
import { createHash } from 'node:crypto';
import { replayOf } from '@loom/job';
import type { Bodies, Request } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { Identity } from './identity/tokens.ts';
import type { Parts } from './parts.ts';
import type { Checked } from './submission.ts';

type Body = Bodies['job.submitted'];

export interface Submitted {
  readonly id: string;
  readonly seq: number;
  /** Unix ms, the log's. */
  readonly time: number;
}

interface Call {
  readonly id: string;
  readonly caller: Identity;
  readonly request: Request;
}

/** @throws LoomError `idempotency_conflict` when the id is taken by another submission */
export async function submit(parts: Parts, call: Call, wanted: Checked): Promise<Submitted> {
  const found = await recorded(parts, call);
  if (found !== null) return same(found, call, wanted);
  await parts.signIn(call.caller, call.request);
  const body = await bodyOf(parts, call, wanted);
  await parts.log.append(
    addressOf(call),
    { type: 'job.submitted', key: '0', body },
    { replay: replayOf({ submitted: body }) },
  );
  const stored = await recorded(parts, call);
  if (stored === null) throw new LoomError('log_unavailable');
  return same(stored, call, wanted);
}

const addressOf = ({ id, caller }: Call) => ({ tenant: caller.tenant, stream: id });

async function recorded({ log }: Parts, call: Call): Promise<(Submitted & { readonly body: Body }) | null> {
  const fact = await log.get(addressOf(call), 'gateway', 'job.submitted', '0');
  const item = fact?.items[0];
  return fact && item?.type === 'job.submitted'
    ? { id: call.id, seq: fact.seq, time: fact.time, body: item.body }
    : null;
}

function same(found: Submitted & { readonly body: Body }, call: Call, wanted: Checked): Submitted {
  if (found.body.owner === call.caller.person && essence(found.body) === essenceOf(wanted)) return found;
  throw new LoomError('idempotency_conflict', undefined, { field: 'Idempotency-Key' });
}

async function bodyOf({ blobs }: Parts, call: Call, wanted: Checked): Promise<Body> {
  const attachments: Body['attachments'][number][] = [];
  for (const { name, mediaType, content } of wanted.uploads) {
    const { object, size, sha256, dataKey } = await blobs.put({ tenant: call.caller.tenant, job: call.id }, content);
    attachments.push({ name, media_type: mediaType, size, sha256, object, data_key: dataKey });
  }
  return {
    brief: wanted.brief,
    attachments,
    metadata: wanted.metadata,
    engagement: wanted.engagement,
    owner: call.caller.person,
    budget_micros: wanted.budgetMicros,
    models: wanted.models,
    follows: wanted.follows,
    forked_from: wanted.fork?.forkedFrom ?? null,
    from_seq: wanted.fork?.fromSeq ?? null,
    mode: wanted.fork?.mode ?? null,
    tightened: wanted.fork?.tightened ?? {},
    request: call.request,
  };
}

const pointOf = ({ fork }: Checked) =>
  fork === null ? [null, null, null, []] : [fork.forkedFrom, fork.fromSeq, fork.mode, sorted(fork.tightened)];

const sorted = (labels: Readonly<Record<string, string | number>>) =>
  Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** What makes two submissions the same: all that the caller gave; blob names and their keys are drawn anew each time. */
const essence = (body: Body): string =>
  JSON.stringify([
    body.brief,
    body.attachments.map(({ name, media_type: type, sha256 }) => [name, type, sha256]),
    sorted(body.metadata),
    body.engagement,
    body.budget_micros,
    sorted(body.models),
    body.follows,
    [body.forked_from, body.from_seq, body.mode, sorted(body.tightened)],
  ]);

function essenceOf(wanted: Checked): string {
  const files = wanted.uploads.map(({ name, mediaType, content }) => [
    name,
    mediaType,
    createHash('sha256').update(content).digest('hex'),
  ]);
  return JSON.stringify([
    wanted.brief,
    files,
    sorted(wanted.metadata),
    wanted.engagement,
    wanted.budgetMicros,
    sorted(wanted.models),
    wanted.follows,
    pointOf(wanted),
  ]);
}
