/** Parked messages as the log tells of them: what failed, how often, what operators did about it. */
import type { FactType } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { clearFact } from './open.ts';
import { roundKey, roundOf } from './park.ts';
import type { Log } from './port.ts';
import { readRaw } from './raw.ts';
import type { RawFact } from './raw.ts';
import { messages } from './read.ts';
import { generation } from './subjects.ts';
import type { Address, Appended, ClearFact, ClearItem } from './types.ts';

/** A message that a consumer could not handle, and how it stands. */
export interface Parked {
  /** `<consumer>-<stream>-<seq>`: one a consumer and message. */
  readonly key: string;
  /** Where what is recorded of it lies: beside the message, where its subject can be read. */
  readonly at: Address;
  readonly consumer: string;
  /** JetStream stream and sequence of the message. */
  readonly stream: string;
  readonly seq: number;
  /** Empty where a release before 0.2.0 parked it. */
  readonly subject: string;
  /** `redriven`: handed to its consumer again, and not parked since. */
  readonly state: 'parked' | 'redriven' | 'dropped';
  /** Redrives so far. */
  readonly round: number;
  /** Error code and class of the last failure. */
  readonly reason: string;
  readonly cause: string;
  /** Over all rounds. */
  readonly attempts: number;
  /** Unix ms: when it was parked first, and when anything was last recorded of it. */
  readonly since: number;
  readonly changed: number;
  /** What the operator who redrove or dropped it last gave as the reason. */
  readonly note: string;
}

type From = Pick<Log, 'connection' | 'streams'>;
type Act = Extract<ClearItem, { type: 'message.parked' | 'message.redriven' | 'message.dropped' }>;

const told = (type: FactType, source = '*'): string => `loom.${generation}.*.*.*.${source}.${type}.*`;
const filters = [
  told('message.parked'),
  told('message.redriven', 'operator'),
  told('message.dropped', 'operator'),
] as const;

/** Every message that was ever parked, the oldest first. @throws LoomError `log_unavailable`, `damaged` */
export const parkedMessages = (log: From): Promise<readonly Parked[]> => new ParkedMessages(log).all();

/** Who looks again and again reads on from where the last look ended. Owns what was read; it can be lost. */
export class ParkedMessages {
  readonly #log: From;
  /** By JetStream stream. */
  readonly #facts = new Map<string, ClearFact[]>();
  /** Last sequence seen, by stream and filter: each may be answered by another replica. */
  readonly #ends = new Map<string, number>();

  constructor(log: From) {
    this.#log = log;
  }

  /** As `parkedMessages`. */
  async all(): Promise<readonly Parked[]> {
    const found = await Promise.all(this.#log.streams.map((stream) => this.#of(stream)));
    return found.flat().toSorted((a, b) => a.since - b.since);
  }

  async #of(stream: string): Promise<readonly Parked[]> {
    const facts = this.#facts.get(stream) ?? [];
    this.#facts.set(stream, facts);
    for (const filter of filters) {
      const name = `${stream} ${filter}`;
      for await (const message of messages(this.#log, stream, filter, { after: this.#ends.get(name) ?? 0 })) {
        facts.push(clearFact(message));
        this.#ends.set(name, message.seq);
      }
    }
    return foldParked(facts.toSorted((a, b) => a.seq - b.seq));
  }
}

/** In the order of the log. */
export function foldParked(facts: readonly ClearFact[]): readonly Parked[] {
  const found = new Map<string, Parked>();
  for (const fact of facts) {
    const act = actOf(fact);
    if (act === null) continue;
    const key = roundKey({ ...act.body, round: 0 });
    const next = after(found.get(key) ?? null, fact, act);
    if (next !== null) found.set(key, next);
  }
  return [...found.values()];
}

function actOf({ said }: ClearFact): Act | null {
  const isAct =
    said?.type === 'message.parked' || said?.type === 'message.redriven' || said?.type === 'message.dropped';
  return isAct ? said : null;
}

/** Null for an act upon what was never parked. What was dropped stays so. */
function after(before: Parked | null, { tenant, stream, key, time }: ClearFact, act: Act): Parked | null {
  if (before?.state === 'dropped') return before;
  const changed = time;
  switch (act.type) {
    case 'message.parked': {
      const { attempts, ...failed } = act.body;
      const known = before ?? { key, at: { tenant, stream }, round: 0, attempts: 0, since: time, note: '' };
      return { ...known, ...failed, state: 'parked', attempts: known.attempts + attempts, changed };
    }
    case 'message.redriven':
      return before && { ...before, state: 'redriven', round: roundOf(act.body, key), note: act.body.reason, changed };
    case 'message.dropped':
      return before && { ...before, state: 'dropped', note: act.body.reason, changed };
  }
}

/** The message itself as it lies in the log. @throws LoomError `gone` when retention has removed it */
export async function messageOf(log: From, { stream, seq }: Parked): Promise<RawFact> {
  for await (const raw of readRaw(log, stream, { after: seq - 1, upto: seq })) return raw;
  throw new LoomError('gone', `the message ${stream} ${seq} is not in the log any more`);
}

/** Whose act it is, and why. */
export interface Redress {
  readonly person: string;
  readonly reason: string;
}

/**
 * Hands a parked message to its consumer again, through its queue. One redrive a failure: asked for again before it failed again, nothing more comes of it.
 * @throws LoomError `gone` when the message is not there any more, `message_dropped`
 */
export async function redrive(log: Pick<Log, 'append'> & From, parked: Parked, act: Redress): Promise<Appended> {
  if (parked.state === 'dropped') throw dropped(parked);
  const { consumer, stream, seq, at } = parked;
  const round = parked.state === 'parked' ? parked.round + 1 : parked.round;
  const { subject } = await messageOf(log, parked);
  const key = roundKey({ consumer, stream, seq, round });
  return log.append(at, { type: 'message.redriven', key, body: { consumer, stream, seq, subject, ...act } });
}

/** Gives a parked message up; it stays in the log. @throws LoomError `message_dropped` when it was given up for another reason */
export async function drop(log: Pick<Log, 'append'>, parked: Parked, act: Redress): Promise<Appended> {
  const { consumer, stream, seq, at, key } = parked;
  const done = await log.append(at, { type: 'message.dropped', key, body: { consumer, stream, seq, ...act } });
  if (!done.won) throw dropped(parked);
  return done;
}

const dropped = ({ key }: Parked): LoomError => new LoomError('message_dropped', `${key} was dropped; it stays so`);
