/** Messages that cannot be handled are parked as facts, with their cause and without content; nothing is dropped. */
import { LoomError } from '@loom/service';
import { append } from './append.ts';
import type { Writer } from './append.ts';
import { parseSubject } from './subjects.ts';
import type { Stored } from './transport.ts';
import type { Address } from './types.ts';

/** Attempts at a message that fails for no known reason before it is parked, by this process's own count. */
export const mostAttempts = 5;

/** Another try may help and says so itself (the log, the database is away): such failures park nothing, however many. */
export const willPass = (failure: LoomError): boolean => failure.retry === 'later' && failure.code !== 'internal';

/** Where a message lies. */
export type Place = Pick<Stored, 'stream' | 'seq' | 'subject'>;

/** A message of a consumer, in its own delivery (round 0) or in a redrive (from 1). */
export interface Round {
  readonly consumer: string;
  readonly stream: string;
  readonly seq: number;
  readonly round: number;
}

/** Key of what is recorded of a round: its redrive (from round 1), and its failure. */
export function roundKey({ consumer, stream, seq, round }: Round): string {
  const key = `${consumer}-${stream.toLowerCase()}-${seq}`;
  return round === 0 ? key : `${key}-${round}`;
}

/** The round that a key tells of. */
export function roundOf(of: Omit<Round, 'round'>, key: string): number {
  const own = roundKey({ ...of, round: 0 });
  return key === own ? 0 : Number(key.slice(own.length + 1));
}

/** Records that a round failed, beside the message. */
export async function park(
  writer: Writer,
  { consumer, round }: Pick<Round, 'consumer' | 'round'>,
  { stream, seq, subject }: Place,
  cause: unknown,
  attempts: number,
): Promise<void> {
  const failure = LoomError.from(cause);
  const body = { consumer, stream, seq, subject, reason: failure.code, cause: nameOf(failure), attempts };
  const key = roundKey({ consumer, stream, seq, round });
  await append(writer, parkingOf(subject), { type: 'message.parked', key, body });
}

/** The class of the innermost error: names only, since messages may hold content. */
function nameOf(failure: LoomError): string {
  const inner = failure.code === 'internal' ? failure.cause : failure;
  return inner instanceof Error ? inner.name : typeof inner;
}

/** Beside the message itself; on the operator's own stream when its subject says nothing. */
export function parkingOf(subject: string): Address {
  try {
    const { tenant, stream } = parseSubject(subject);
    return { tenant, stream };
  } catch {
    return { tenant: '_', stream: 'system' };
  }
}

/** Counts attempts and faults by message; the oldest of 10,000 are forgotten. */
export class Attempts {
  readonly #counts = new Map<string, { attempts: number; faults: number }>();

  begin(message: Stored): { attempts: number; faults: number } {
    const name = `${message.stream}/${message.seq}`;
    const count = this.#counts.get(name) ?? { attempts: 0, faults: 0 };
    count.attempts++;
    this.#counts.set(name, count);
    const oldest = this.#counts.keys().next().value;
    if (this.#counts.size > 10_000 && oldest !== undefined) this.#counts.delete(oldest);
    return count;
  }

  end(message: Stored): void {
    this.#counts.delete(`${message.stream}/${message.seq}`);
  }
}
