/**
 * Claim check: sealed fields that would make a body too large lie in the object store.
 * In their place stand byte 1 (version), byte 255 (claim), and JSON `{object, size, sum}` of the sealed bytes.
 */
import type { Blobs } from '@loom/blobs';
import { sealedPaths } from '@loom/schemas';
import type { FactType, Wire } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { createHash } from 'node:crypto';
import type { Address } from './types.ts';

interface Claim {
  readonly object: string;
  readonly size: number;
  readonly sum: string;
}

const mark = Buffer.from([1, 255]);
/** A claim is about this long: what is shorter is not worth one. */
const worthwhile = 512;

const isClaim = (bytes: Uint8Array): boolean => bytes[0] === 1 && bytes[1] === 255;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Moves the largest sealed fields out until what is left of them is at most `limit` bytes (or small anyway). */
export async function checkIn(
  blobs: Blobs | null,
  at: Address,
  type: FactType,
  wire: Wire,
  limit: number,
): Promise<Wire> {
  const fields = sealedFields(type, wire).toSorted((a, b) => b.bytes.length - a.bytes.length);
  let total = fields.reduce((sum, field) => sum + field.bytes.length, 0);
  let result = wire;
  for (const { path, bytes } of fields) {
    if (total <= limit || bytes.length < worthwhile || blobs === null) break;
    const object = await blobs.putSealed({ tenant: at.tenant, job: at.stream }, bytes);
    const claim: Claim = { object, size: bytes.length, sum: sha256(bytes) };
    const stub = Buffer.concat([mark, Buffer.from(JSON.stringify(claim))]);
    result = replaced(result, path.split('.'), stub);
    total += stub.length - bytes.length;
  }
  return result;
}

/** Whether a field lies in the object store. */
export const isCheckedIn = (type: FactType, wire: Wire): boolean =>
  sealedFields(type, wire).some(({ bytes }) => isClaim(bytes));

/** Puts the claimed fields back. @throws LoomError `blob_missing`, `blob_damaged` */
export async function checkOut(blobs: Blobs | null, type: FactType, wire: Wire): Promise<Wire> {
  let result = wire;
  for (const { path, bytes } of sealedFields(type, wire)) {
    if (isClaim(bytes)) result = replaced(result, path.split('.'), await redeem(blobs, bytes));
  }
  return result;
}

async function redeem(blobs: Blobs | null, stub: Uint8Array): Promise<Buffer> {
  const { object, size, sum } = JSON.parse(Buffer.from(stub.subarray(2)).toString()) as Claim;
  if (blobs === null) throw new LoomError('blob_missing', 'no object store is at hand for a claimed field');
  const bytes = await blobs.getSealed(object);
  if (bytes.length !== size || sha256(bytes) !== sum) throw new LoomError('blob_damaged');
  return bytes;
}

function sealedFields(type: FactType, wire: Wire): { readonly path: string; readonly bytes: Uint8Array }[] {
  const found: { readonly path: string; readonly bytes: Uint8Array }[] = [];
  for (const path of sealedPaths(type)) {
    const value = path.includes('.')
      ? path.split('.').reduce<unknown>((part, name) => (part as Wire | null | undefined)?.[name], wire)
      : wire[path];
    if (value instanceof Uint8Array) found.push({ path, bytes: value });
  }
  return found;
}

function replaced(wire: Wire, [name = '', ...rest]: readonly string[], bytes: Uint8Array): Wire {
  return { ...wire, [name]: rest.length === 0 ? bytes : replaced(wire[name] as Wire, rest, bytes) };
}
