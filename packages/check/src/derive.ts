/** The decisions of one job derived anew, for as long as its content can be opened. */
import { readRaw, streamOf } from '@loom/log';
import type { Address, Fact, Log, RawFact } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Finding } from './domain/check.ts';
import { rederive } from './rederive.ts';
import type { Broken, Decide, Rederived } from './rederive.ts';

interface Derived extends Omit<Rederived, 'broken'> {
  /** Nobody can open it any more, or what it lies in is a finding of another rule. */
  readonly gone: boolean;
  readonly broken: Finding | null;
}

/** Nothing to say here: content whose key was destroyed, and facts that break `sum`, `headers` or `readable`. */
const passed: ReadonlySet<string> = new Set([
  'key_destroyed',
  'damaged',
  'wrong_tenant',
  'undecodable',
  'unknown_schema',
]);

/** The key is there and the content is not, or does not open under it. */
const shut: ReadonlySet<string> = new Set(['bad_seal', 'blob_damaged', 'blob_missing']);

/** What is wrong with content that does not open, or null when that is no fault of it. @throws the cause when it is none of the content's */
export function whyShut(cause: unknown): string | null {
  const { code, message } = LoomError.from(cause);
  if (passed.has(code)) return null;
  if (shut.has(code)) return `its content does not open: ${code}: ${message}`;
  throw cause;
}

/** @throws LoomError `log_unavailable` */
export async function deriveAnew(log: Log, at: Address, upto: number, decide: Decide): Promise<Derived> {
  const read = { seq: 0 };
  try {
    const { broken, ...counts } = await rederive(at, followed(log.read(at, { upto }), read), decide);
    const finding = broken === null ? null : { ...about(log, at), rule: 'rederived', invariant: 4, ...broken };
    return { ...counts, gone: false, broken: finding };
  } catch (cause) {
    const message = whyShut(cause);
    const broken = message === null ? null : await atNext(log, at, read.seq, message);
    return { decisions: 0, skipped: 0, gone: message === null, broken };
  }
}

/** Keeps the sequence of what was read last. */
export async function* followed(facts: AsyncIterable<Fact>, read: { seq: number }): AsyncGenerator<Fact> {
  for await (const fact of facts) {
    read.seq = fact.seq;
    yield fact;
  }
}

const about = (log: Log, { tenant, stream: job }: Address) => ({
  tenant,
  job,
  stream: streamOf({ tenant, stream: job }, log.streams.length),
});

async function atNext(log: Log, at: Address, after: number, message: string): Promise<Finding> {
  return {
    ...about(log, at),
    rule: 'opens',
    invariant: 7,
    ...(await nextOf(readRaw(log, at, { after }), after, message)),
  };
}

/** What is wrong with the fact behind the last that could be read: facts are opened one by one, in order. */
export async function nextOf(behind: AsyncGenerator<RawFact>, after: number, message: string): Promise<Broken> {
  const next = await behind.next();
  const { seq, subject } = next.done === true ? { seq: after, subject: '' } : next.value;
  return { seq, subject, message };
}
