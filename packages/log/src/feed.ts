/**
 * What the leased consumer of this process was handed, kept until it is folded, so that a fold need not ask the server for it.
 * Owns, per job, the messages that nobody has taken yet and the sequence from which on they are all there; it can be lost.
 * F1  A durable of whole streams hands over every fact in the order of the log, so that sequences follow each other. A gap forgets all that
 *     was known of the stream: a fact got lost on the way, or went to somebody else (who was paused with the lease has its request open
 *     still) and comes again behind later ones. So does a new lease. The count of deliveries proves nothing: a reset begins it anew.
 * F2  What lies at or below the highest sequence seen adds nothing: it was handed over before, or lies in a gap.
 * F3  It answers only for a reader that stands at or behind the first fact it saw of the job (`job.submitted` is a job's first of all).
 *     Everybody else is told to read.
 */
import type { Delivered } from './pull.ts';
import type { Stored } from './transport.ts';

interface Trail {
  /** All facts behind this sequence are in `facts`, or below it. */
  from: number;
  last: number;
  facts: Stored[];
  readonly waiting: { readonly seq: number; readonly wake: () => void }[];
}

interface StreamFeed {
  high: number;
  readonly trails: Map<string, Trail>;
}

interface Wish {
  readonly after: number;
  readonly atLeast: number;
  /** ms */
  readonly patience: number;
}

/** Jobs of one stream that are remembered; who has been silent for longest is forgotten. */
const mostTrails = 1000;
/** Facts of one job that wait to be taken. */
const mostFacts = 1000;

export class Feed {
  readonly #streams = new Map<string, StreamFeed>();

  /** A lease was taken: what follows is handed over from here on. */
  begin(stream: string): void {
    this.end(stream);
    this.#streams.set(stream, { high: 0, trails: new Map() });
  }

  /** The lease is gone: nobody knows what is appended from here on. */
  end(stream: string): void {
    const feed = this.#streams.get(stream);
    this.#streams.delete(stream);
    for (const trail of feed?.trails.values() ?? []) wakeAll(trail);
  }

  push(message: Delivered): void {
    const feed = this.#streams.get(message.stream);
    if (feed === undefined || message.seq <= feed.high) return;
    if (message.seq !== feed.high + 1) forget(feed);
    feed.high = message.seq;
    add(feed, nameOf(message.subject), message);
  }

  /** Facts behind `after` as far as they were handed over, the first `atLeast` awaited for `patience` ms; null: read them. Taking them forgets them. */
  async after(stream: string, name: string, { after, atLeast, patience }: Wish): Promise<readonly Stored[] | null> {
    const trail = this.#trail(stream, name, after);
    if (trail === null) return null;
    if (trail.last < atLeast) await arrival(trail, atLeast, patience);
    if (this.#trail(stream, name, after) !== trail || trail.last < atLeast) return null;
    const facts = trail.facts.filter(({ seq }) => seq > after);
    trail.facts = [];
    trail.from = trail.last;
    return facts;
  }

  #trail(stream: string, name: string, after: number): Trail | null {
    const trail = this.#streams.get(stream)?.trails.get(name);
    return trail === undefined || after < trail.from ? null : trail;
  }
}

/** `<tenant>.<stream>` of a subject `loom.<g>.<p>.<tenant>.<stream>.…` */
function nameOf(subject: string): string {
  const [, , , tenant = '', stream = ''] = subject.split('.', 5);
  return `${tenant}.${stream}`;
}

function add(feed: StreamFeed, name: string, message: Delivered): void {
  const known = feed.trails.get(name);
  const trail = known ?? { from: begins(message) ? 0 : message.seq, last: 0, facts: [], waiting: [] };
  feed.trails.delete(name);
  feed.trails.set(name, trail);
  trail.facts.push(message);
  trail.last = message.seq;
  if (trail.facts.length > mostFacts) trail.from = trail.facts.shift()!.seq;
  for (const one of trail.waiting.splice(0)) {
    if (one.seq <= trail.last) one.wake();
    else trail.waiting.push(one);
  }
  const [oldest] = feed.trails;
  if (feed.trails.size > mostTrails && oldest !== undefined) drop(feed, ...oldest);
}

/** It is fenced at 0 by the whole job's filter: nothing of the job lies before it. */
const begins = ({ subject }: Stored): boolean => subject.includes('.gateway.job.submitted.');

function forget(feed: StreamFeed): void {
  for (const [name, trail] of feed.trails) drop(feed, name, trail);
}

function drop(feed: StreamFeed, name: string, trail: Trail): void {
  feed.trails.delete(name);
  wakeAll(trail);
}

function wakeAll(trail: Trail): void {
  for (const { wake } of trail.waiting.splice(0)) wake();
}

function arrival(trail: Trail, seq: number, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience);
    const wake = (): void => {
      clearTimeout(timer);
      resolve();
    };
    trail.waiting.push({ seq, wake });
  });
}
