/** How facts in order are taken: together, after a failure one by one; what cannot be taken is parked within a second. */
import { LoomError, backoffMs } from '@loom/service';
import type { Writer } from './append.ts';
import { pause } from './leases.ts';
import { clearFact } from './open.ts';
import { mostAttempts, willPass } from './park.ts';
import type { BatchOptions } from './port.ts';
import { isRedrive, itself, redriven } from './redrive.ts';
import type { Aside, Meant } from './redrive.ts';
import type { Stored } from './transport.ts';
import type { ClearFact } from './types.ts';

/** A fault is tried again after twice this and doubling: everybody behind it waits. ms */
const brief = 10;

/** Thrown by a reader of batches that holds facts up to `seq` alone, although more was acked for it. It took nothing. */
export class Behind extends Error {
  readonly seq: number;

  constructor(seq: number) {
    super(`the reader holds facts up to ${seq} alone`);
    this.seq = seq;
  }
}

export interface Handed {
  readonly stream: string;
  readonly messages: readonly Stored[];
  /** Everything up to here was handed over before; 0 when nobody asks. */
  readonly after: number;
  readonly aside: Aside;
}

/** A fact to hand over, and the message that is parked when it cannot be taken. */
interface Taken {
  readonly meant: Meant;
  readonly fact: ClearFact;
  /** The redrive alone, for when the message that it names cannot be taken again. */
  readonly alone?: Taken;
}

const apart = (one: Taken): readonly Taken[] => (one.alone === undefined ? [one] : [one, one.alone]);

/** Hands the facts over until they are taken, or parked. A redrive brings the fact that it names with it. @throws Behind */
export async function take(
  writer: Writer,
  { service, handle }: BatchOptions,
  { stream, messages, after, aside }: Handed,
  signal: AbortSignal,
): Promise<void> {
  const taken: Taken[] = [];
  for (const message of messages) taken.push(...(await decodeOrPark(writer, { service, aside }, message, signal)));
  const facts = taken.map((one) => one.fact);
  if (facts.length === 0 && after === 0) return;
  if ((await attempt(() => handle(stream, facts, after), signal, 1)) === null) return;
  for (const { meant, fact } of taken.flatMap(apart)) {
    const cause = await attempt(() => handle(stream, [fact], 0), signal);
    if (signal.aborted) return;
    if (cause !== null) await aside.put(meant, cause, mostAttempts);
  }
}

async function decodeOrPark(
  writer: Writer,
  { service, aside }: Pick<BatchOptions, 'service'> & Pick<Handed, 'aside'>,
  message: Stored,
  signal: AbortSignal,
): Promise<readonly Taken[]> {
  let meant = itself(message);
  let taken: Taken[] = [];
  if (aside.holds(meant)) return [];
  const cause = await attempt(async () => {
    const alone = { meant: itself(message), fact: clearFact(message) };
    taken = [alone];
    const named = isRedrive(message) ? await redriven(writer, service, message) : null;
    if (named === null || aside.holds(named)) return;
    meant = named;
    taken = [{ meant, fact: { ...alone.fact, redriven: clearFact(await meant.message()) }, alone }];
  }, signal);
  if (cause !== null) await aside.put(meant, cause, 1);
  return taken;
}

/** Null when it went well, or the signal aborted; else why it never will. @throws Behind */
async function attempt(work: () => Promise<void>, signal: AbortSignal, most = mostAttempts): Promise<unknown> {
  let faults = 0;
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await work();
      return null;
    } catch (cause) {
      if (cause instanceof Behind) throw cause;
      const failure = LoomError.from(cause);
      const passing = willPass(failure);
      if (!passing) faults++;
      if (failure.retry === 'never' || faults >= most) return failure;
      await pause(passing ? backoffMs(tries) : brief * 2 ** faults, signal);
    }
  }
  return null;
}
