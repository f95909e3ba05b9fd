/** Drafts → stored bytes: sealed, claim-checked, Avro-encoded, and named by their identity. */
import type { Blobs } from '@loom/blobs';
import { canonical, encodeWire, isContentFree, normal, toWire } from '@loom/schemas';
import type { Bodies, FactType, Sealer } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { Keys } from '@loom/vault';
import { hash } from 'node:crypto';
import { checkIn } from './claims.ts';
import type { Keyring } from './keyring.ts';
import type { Known, Opened } from './known.ts';
import { contextOf, subjectOf } from './subjects.ts';
import type { Address, Draft, Source } from './types.ts';

/** Bodies above this go to the object store in part; bytes. */
export const claimLimit = 65_536;
/** A decision's items share the limit, but none gets less; bytes. */
const smallestShare = 2048;
/** What is left of a message of 1 MiB beside its headers; bytes. */
const largestBody = 1_048_576 - 4096;
export const mostItems = 200;

export interface Encoded {
  readonly body: Buffer;
  /** As it will be when it is opened again, and what that weighs; bytes. */
  readonly opened: readonly Opened[];
  readonly size: number;
  /** `ce-id`, hex. */
  readonly id: string;
}

/** An item as it lies in a decision, and in its dispatch. */
export interface EncodedItem {
  readonly type: FactType;
  readonly key: string;
  readonly body: Buffer;
  /** Where this process encoded it: as it will be when it is opened again. */
  readonly opened?: Opened;
}

export interface Parts {
  readonly keyring: Keyring;
  readonly blobs: Blobs | null;
  readonly known: Known;
}

interface Sealed {
  readonly body: Buffer;
  readonly canonical: Buffer;
  readonly opened: Opened;
  /** Bytes of the whole body, whatever of it lies elsewhere. */
  readonly size: number;
  readonly keys: Keys | null;
}

/** @throws LoomError `validation_failed`, `fact_too_large`, `key_destroyed` */
export async function encodeDraft(parts: Parts, at: Address, source: Source, draft: Draft): Promise<Encoded> {
  const subject = subjectOf(at, source, draft.type, draft.key);
  const sealed = await seal(parts, at, source, draft, claimLimit);
  const id = identity(sealed.keys, subject, [sealed.canonical]);
  return { body: sealed.body, opened: [sealed.opened], size: sealed.size, id };
}

/** `decision.made` of several drafts. @throws LoomError `too_many_items` and those of `encodeDraft` */
export async function encodeDecision(
  parts: Parts,
  at: Address,
  drafts: readonly Draft[],
  subject: string,
): Promise<Encoded & { readonly items: readonly EncodedItem[] }> {
  if (drafts.length > mostItems) throw new LoomError('too_many_items', `${drafts.length} items, at most ${mostItems}`);
  const share = Math.max(smallestShare, Math.floor(claimLimit / drafts.length));
  const sealed = await Promise.all(drafts.map((draft) => seal(parts, at, 'orchestrator', draft, share)));
  const items = sealed.map(({ body, opened }) => ({ type: opened.type, key: opened.key, body, opened }));
  const identities = sealed.flatMap((one, i) => [Buffer.from(`${drafts[i]!.type}/${drafts[i]!.key}`), one.canonical]);
  const keys = sealed.find((one) => one.keys !== null)?.keys ?? null;
  const body = sized(encodeWire('decision.made', { items }));
  const opened = sealed.map((one) => one.opened);
  const size = sealed.reduce((sum, one) => sum + one.size, 0);
  return { body, items, opened, size, id: identity(keys, subject, identities) };
}

async function seal(parts: Parts, at: Address, source: Source, draft: Draft, limit: number): Promise<Sealed> {
  const place = { at, type: draft.type, key: draft.key };
  const keys = isContentFree(draft.type) ? null : await parts.keyring.writing(place);
  const person = personOf(draft.type, draft.body);
  if (person !== undefined) await parts.keyring.person(person);
  const given = normal(draft.type, draft.body);
  const body = keys === null ? given : await withCallKey(parts.keyring, keys, place, given);
  const context = contextOf(at, draft.type, draft.key);
  const sealer = keys?.sealer({ key: draft.key, source, person }) ?? noSealer;
  const wire = toWire(draft.type, body, context, sealer);
  const whole = sized(encodeWire(draft.type, wire), parts.blobs === null);
  const fits = whole.length <= limit;
  const stored = fits ? whole : sized(encodeWire(draft.type, await checkIn(parts.blobs, at, draft.type, wire, limit)));
  const opened = { type: draft.type, key: draft.key, body };
  return { body: stored, canonical: canonical(draft.type, body), opened, size: whole.length, keys };
}

function sized(body: Buffer, check = true): Buffer {
  if (check && body.length > largestBody) throw new LoomError('fact_too_large', `${body.length} bytes`);
  return body;
}

/** A draft of `run.requested` leaves `call_key` empty: it is sealed to the sandbox here. */
async function withCallKey(
  keyring: Keyring,
  keys: Keys,
  place: { readonly at: Address; readonly type: FactType; readonly key: string },
  body: Bodies[FactType],
): Promise<Bodies[FactType]> {
  if (!('call_key' in body) || body.call_key.length > 0) return body;
  return { ...body, call_key: await keyring.callKey(keys, place) };
}

/** Whose personal fields a body holds. */
export function personOf(type: FactType, body: object): string | undefined {
  const { request, owner } = body as { readonly request?: { readonly person?: string }; readonly owner?: string };
  return request?.person ?? (type === 'account.opened' ? owner : undefined);
}

/** The same act has the same id: HMAC under the content key, SHA-256 where there is no content. Every part is preceded by its length. */
function identity(keys: Keys | null, subject: string, parts: readonly Uint8Array[]): string {
  const lengths = Buffer.alloc(4 * parts.length);
  parts.forEach((part, i) => lengths.writeUInt32BE(part.length, 4 * i));
  const data = Buffer.concat([Buffer.from(`${subject}\n`), lengths, ...parts]);
  return keys === null ? hash('sha256', data, 'hex') : Buffer.from(keys.hmac('ce-id', data)).toString('hex');
}

const never = (): never => {
  throw new LoomError('internal', 'a content-free fact has nothing to seal');
};
export const noSealer: Sealer = { seal: never, open: never };
