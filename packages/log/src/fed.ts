/** Reading a job from what the leased consumer was handed, or from the server where that is not complete. */
import type { Feed } from './feed.ts';
import { openFact } from './open.ts';
import type { FedOptions } from './port.ts';
import { read } from './read.ts';
import type { Reader } from './read.ts';
import { streamOf } from './subjects.ts';
import type { Address, Fact } from './types.ts';

/**
 * How long a fact that was appended may take to be handed over before the server is asked, ms. What got lost on the way leaves a gap, which ends
 * the wait as soon as anything follows; a shorter one has a busy server asked for what it is about to hand over.
 */
const patience = 1000;

export async function* readFed(
  reader: Reader,
  feed: Feed,
  at: Address,
  { after, atLeast }: FedOptions,
): AsyncGenerator<Fact> {
  const name = `${at.tenant}.${at.stream}`;
  const facts =
    atLeast === 0 ? null : await feed.after(streamOf(at, reader.streams), name, { after, atLeast, patience });
  if (facts === null) yield* read(reader, at, { after });
  else for (const fact of facts) yield openFact(reader, fact);
}
