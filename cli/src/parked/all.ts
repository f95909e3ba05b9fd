import type { Log } from '@loom/log';
import { messagesOn } from './messages.ts';
import { stepsOn } from './steps.ts';
import type { Thing } from './thing.ts';

/** The oldest first. */
export async function everythingParked(log: Log): Promise<readonly Thing[]> {
  const all = [...(await messagesOn(log)), ...(await stepsOn(log))];
  return all.toSorted((a, b) => a.since - b.since);
}
