/** A parked message as it lies in the log. */
import { parseRaw, sumOfRaw, type Parked, type RawFact } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Output } from '../output.ts';

/** Sealed and personal fields are bytes, and are left out. */
const clear = (_name: string, value: unknown): unknown =>
  value instanceof Uint8Array || (value as { readonly type?: unknown } | null)?.type === 'Buffer' ? undefined : value;

interface Reading {
  /** Whether the sum holds, as far as there is one. */
  readonly sum: 'holds' | 'differs' | 'absent';
  readonly items: readonly { readonly type: string; readonly key: string; readonly body: object }[];
  /** Why it cannot be read now; empty when it can. */
  readonly problem: string;
}

function read(raw: RawFact): Reading {
  const stored = raw.headers.find(([name]) => name === 'loom-sum')?.[1];
  const sum = stored === undefined ? 'absent' : stored === sumOfRaw(raw) ? 'holds' : 'differs';
  try {
    const { said, items } = parseRaw(raw);
    const shown = said === null ? items : [said];
    return { sum, items: shown.map(({ type, key, body }) => ({ type, key, body })), problem: '' };
  } catch (cause) {
    const { code, message } = LoomError.from(cause);
    return { sum, items: [], problem: `${code}: ${message}` };
  }
}

/** Null: retention has removed it. */
export function tellMessage(parked: Parked, raw: RawFact | null, out: Output): void {
  if (raw === null) {
    out.record({ kind: 'message', ...parked, message: null });
    return out.print('  the message is not in the log any more: it can only be dropped');
  }
  const { sum, items, problem } = read(raw);
  const { subject, time, body } = raw;
  const headers = raw.headers.filter(([name]) => !name.startsWith('Nats-'));
  const message = { subject, time: new Date(time).toISOString(), size: body.length, headers, sum, problem, items };
  out.record(JSON.parse(JSON.stringify({ kind: 'message', ...parked, message }, clear)) as object);
  out.print(`  lies at ${parked.stream} ${parked.seq} since ${message.time}, ${body.length} bytes`);
  out.print(`  ${subject}`);
  for (const [name, value] of headers) out.print(`  ${name}: ${value}`);
  out.print(`  its sum ${sum}; ${problem === '' ? 'it can be read now' : `it cannot be read: ${problem}`}`);
  for (const item of items) out.print(`  ${item.type} ${item.key} ${JSON.stringify(item.body, clear)}`);
}
