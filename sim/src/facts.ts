import { isEnd } from '@loom/job';
import { parseRaw } from '@loom/log';
import type { ParsedFact } from '@loom/log';
import type { Held } from './server/stream.ts';

/** A stored message as the fact that it is, without what is sealed. */
export const factOf = ({ subject, seq, time, pairs: headers, body }: Held, stream = ''): ParsedFact =>
  parseRaw({ stream, seq, time, subject, headers, body });

/** How a fact ends its job: `completed`; null: it does not. A playback's end may be one of several items. */
export function endIn({ items }: Pick<ParsedFact, 'items'>): string | null {
  const end = items.find(isEnd);
  return end === undefined ? null : end.type.replace('job.', '');
}
