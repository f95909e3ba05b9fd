/** Looking for facts of one kind over all jobs, by direct batch get: heads only, no consumer, no content. */
import type { FactType } from '@loom/schemas';
import { headOf } from './headers.ts';
import type { Reader } from './read.ts';
import { generation, parseSubject, streamNames } from './subjects.ts';
import { directBatch } from './transport.ts';
import type { Head, Source } from './types.ts';

/** Last sequence seen of each stream. */
export type ScanCursor = ReadonlyMap<string, number>;

const batch = 1000;

/** Facts of this kind behind the cursor, and the cursor for the next look. */
export async function scan(
  reader: Reader,
  source: Source,
  type: FactType,
  cursor: ScanCursor = new Map(),
): Promise<{ found: readonly Head[]; cursor: ScanCursor }> {
  const found: Head[] = [];
  const next = new Map(cursor);
  for (const stream of streamNames(reader.streams))
    for (let more = true; more;) {
      const page = await directBatch(reader.connection, stream, {
        seq: (next.get(stream) ?? 0) + 1,
        next_by_subj: filterOf(source, type),
        batch,
      });
      for (const message of page.messages) {
        next.set(stream, message.seq);
        found.push(headOf(message, parseSubject(message.subject)));
      }
      more = page.more && page.messages.length > 0;
    }
  return { found, cursor: next };
}

const filterOf = (source: Source, type: FactType): string => `loom.${generation}.*.*.*.${source}.${type}.*`;
