/**
 * Reading jobs of one stream by one read of the stream, for who works on much of what it holds. Owns, per job that was asked for lately, the
 * facts that came and nobody has taken yet; it can be lost.
 * J1  A read of the stream goes out after everybody who shares it asked, so that each sees what was acknowledged before.
 * J2  What is kept of a job is complete from the first fact of it that came: who stands before that one reads the job for themself.
 * J3  A stream that holds much that nobody here asked for is not read: everybody reads for themself, until those who ask at the same moment account for
 *     most of what came meanwhile.
 */
import { Carried } from './carried.ts';
import { openFact } from './open.ts';
import type { FedOptions } from './port.ts';
import { batch, read } from './read.ts';
import type { Reader } from './read.ts';
import { prefixOf, streamOf, wholeStream } from './subjects.ts';
import { directBatch } from './transport.ts';
import type { Stored } from './transport.ts';
import type { Address, Fact } from './types.ts';

/** What came of a job. */
interface Trail {
  /** Complete behind here; Infinity until a fact came. */
  from: number;
  last: number;
  facts: Stored[];
}

/** A read of the stream that has not begun yet. */
interface Next {
  readers: number;
  /** The highest sequence that one of them knows of. */
  atLeast: number;
  /** False where everybody is to read for themself. */
  readonly done: Promise<boolean>;
}

/** Facts that are no dearer than a read of one's own: as many that nobody asked for may come with each reader. */
const worth = 8;
/** How far what nobody asked for, or what has gathered since the last read, may go beyond that before the stream is left; facts. */
const mostDebt = 100;
/** Jobs that are remembered; who has not been asked for longest is forgotten. */
const mostTrails = 500;
/** Facts of one job that wait to be taken. */
const mostWaiting = 1000;

/** How one stream is read. */
class Stretch {
  readonly #reader: Reader;
  readonly #stream: string;
  readonly #trails = new Map<string, Trail>();
  /** Everything up to here came, or was passed over. */
  #high = 0;
  #shares = false;
  #debt = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #next: Next | null = null;

  constructor(reader: Reader, stream: string) {
    this.#reader = reader;
    this.#stream = stream;
  }

  /** Facts of a job behind `after`; null: read them. Taking them forgets them. */
  async after(prefix: string, { after, atLeast }: FedOptions): Promise<readonly Stored[] | null> {
    if (!(await this.#join(atLeast))) return null;
    const trail = this.#trailOf(prefix);
    if (after < trail.from) return null;
    const facts = trail.facts.filter(({ seq }) => seq > after);
    trail.facts = [];
    trail.from = trail.last;
    return facts;
  }

  #join(atLeast: number): Promise<boolean> {
    const next = (this.#next ??= this.#begin());
    next.readers += 1;
    next.atLeast = Math.max(next.atLeast, atLeast);
    return next.done;
  }

  #begin(): Next {
    const done = this.#turn.then(() => {
      this.#next = null;
      return this.#catchUp(round);
    });
    const round: Next = { readers: 0, atLeast: 0, done };
    this.#turn = done.catch(() => undefined);
    return round;
  }

  async #catchUp({ readers, atLeast }: Next): Promise<boolean> {
    const fair = worth * readers;
    this.#shares = atLeast - this.#high <= (this.#shares ? fair + mostDebt : fair);
    if (!this.#shares) return this.#leave(atLeast);
    const query = { seq: this.#high + 1, next_by_subj: wholeStream, batch };
    const { messages, more } = await directBatch(this.#reader.connection, this.#stream, query);
    for (const message of messages) this.#take(message);
    this.#debt = Math.max(0, this.#debt - fair);
    return more || this.#debt > mostDebt ? this.#leave(this.#high) : true;
  }

  #leave(high: number): false {
    this.#shares = false;
    this.#debt = 0;
    this.#trails.clear();
    this.#high = Math.max(this.#high, high);
    return false;
  }

  #take(message: Stored): void {
    this.#high = message.seq;
    const prefix = prefixIn(message.subject);
    const trail = this.#trails.get(prefix);
    if (trail === undefined) return void this.#debt++;
    if (trail.from === Infinity) trail.from = message.seq;
    trail.last = message.seq;
    trail.facts.push(message);
    if (trail.facts.length > mostWaiting) this.#trails.delete(prefix);
  }

  #trailOf(prefix: string): Trail {
    const trail = this.#trails.get(prefix) ?? { from: Infinity, last: 0, facts: [] };
    this.#trails.delete(prefix);
    this.#trails.set(prefix, trail);
    const oldest = this.#trails.keys().next();
    if (this.#trails.size > mostTrails && !oldest.done) this.#trails.delete(oldest.value);
    return trail;
  }
}

/** `loom.<g>.<p>.<tenant>.<stream>` of a subject. */
function prefixIn(subject: string): string {
  let end = -1;
  for (let tokens = 0; tokens < 5; tokens++) end = subject.indexOf('.', end + 1);
  return subject.slice(0, end);
}

export class SharedReads {
  readonly #reader: Reader;
  readonly #stretches = new Map<string, Stretch>();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  async *read(at: Address, options: FedOptions): AsyncGenerator<Fact> {
    const facts = options.atLeast === 0 ? null : await this.#of(at).after(prefixOf(at), options);
    if (facts === null) return yield* read(this.#reader, at, { after: options.after });
    const carried = new Carried();
    for (const fact of facts) yield openFact(this.#reader, fact, carried);
  }

  #of(at: Address): Stretch {
    const stream = streamOf(at, this.#reader.streams);
    const stretch = this.#stretches.get(stream) ?? new Stretch(this.#reader, stream);
    this.#stretches.set(stream, stretch);
    return stretch;
  }
}
