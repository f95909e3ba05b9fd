import type { Log } from '@loom/log';
import type { Output } from '../output.ts';
import { messagesOn } from './messages.ts';
import { stepOf, stepsOn } from './steps.ts';
import type { Past, Thing } from './thing.ts';

interface Found {
  /** The oldest first. */
  readonly things: readonly Thing[];
  /** Steps that an operator decided on in jobs that have ended: not looked up unless they are asked for. */
  readonly past: readonly Past[];
}

/** What waits for an operator; with `all` also whatever ever did. */
export async function everythingParked(log: Log, all: boolean, out: Output): Promise<Found> {
  const messages = await messagesOn(log);
  const { things: steps, past } = await stepsOn(log, all, out);
  return { things: [...messages, ...steps].toSorted((a, b) => a.since - b.since), past };
}

/** What is or was parked under a key. */
export async function parkedUnder(log: Log, key: string): Promise<Thing | undefined> {
  return (await stepOf(log, key)) ?? (await messagesOn(log)).find((one) => one.key === key);
}
