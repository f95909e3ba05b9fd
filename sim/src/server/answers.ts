/** What is stored, in the forms in which the server hands it out. */
import type { Given } from './connection.ts';
import type { Held, Stream } from './stream.ts';

/** What a direct get asks for. */
export type Query = { readonly last_by_subj: string } | { readonly seq: number } | BatchQuery;

interface BatchQuery {
  readonly seq: number;
  readonly next_by_subj: string;
  readonly batch: number;
}

export function batchOf(
  stream: Stream,
  { batch }: BatchQuery,
  reply: string,
  found: readonly Held[],
): readonly Given[] {
  if (found.length === 0) return [{ subject: reply, code: 404 }];
  const pending = Math.max(0, found.length - batch);
  const end: Given = { subject: reply, code: 204, pairs: [['Nats-Num-Pending', String(pending)]] };
  return [...found.slice(0, batch).map((held) => given(stream.name, held, reply)), end];
}

/** A stored message as a direct get gives it, or as a durable does. */
export function given(stream: string, { subject, pairs, body, seq, time }: Held, inbox?: string): Given {
  if (inbox === undefined) return { subject, pairs, body };
  const about: Given['pairs'] = [
    ['Nats-Stream', stream],
    ['Nats-Subject', subject],
    ['Nats-Sequence', String(seq)],
    ['Nats-Time-Stamp', new Date(time).toISOString()],
  ];
  return { subject: inbox, pairs: [...about, ...pairs], body };
}

/** A stored message as the leader gives it. */
export function asJson({ subject, seq, time, pairs, body }: Held): object {
  const hdrs = Buffer.from(`NATS/1.0\r\n${pairs.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
  return {
    subject,
    seq,
    time: new Date(time).toISOString(),
    hdrs: hdrs.toString('base64'),
    data: Buffer.from(body).toString('base64'),
  };
}
