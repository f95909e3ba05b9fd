/**
 * The server in memory: event streams, leases, timers and durables, and the part of the JetStream API that Loom speaks.
 * Owns what is stored; a process that dies takes nothing of it along.
 */
import { eventStream, filtersOf, rowOf, streamNames } from '@loom/log';
import type { Faults } from '../faults.ts';
import { asJson, batchOf, given } from './answers.ts';
import type { Query } from './answers.ts';
import { Durable } from './durable.ts';
import { Stream } from './stream.ts';
import type { Held, Message } from './stream.ts';
import { matcher } from './subjects.ts';
import type { Acceptor, Link, Sent } from './connection.ts';
import type { Host } from '../timeline.ts';

export interface ServerOptions {
  readonly host: Host;
  readonly faults: Faults;
  readonly streams: number;
  readonly replicated: boolean;
  /** Ms. */
  readonly ackWait: number;
  /** Whether the writer is to die instead of hearing of it. */
  readonly onStored: (link: Link, held: Held) => boolean;
}

/** How far a replica may be behind; ms. */
export const longestLag = 120;
/** How long a fact may be on its way between replicas; ms. */
const longestWay = 150;
const leaseAge = 5_000;
const wrongLastSequence = 10071;
const concurrentWriter = 10164;

interface Ear {
  readonly link: Link;
  readonly pattern: string;
  readonly hears: (subject: string) => boolean;
}

export class Server implements Acceptor {
  readonly host: Host;
  readonly streams: ReadonlyMap<string, Stream>;
  readonly events: readonly Stream[];
  /** Sequences of dispatches that slipped in beside a decision, by stream. */
  readonly slipped = new Map<string, Set<number>>();
  readonly #options: ServerOptions;
  readonly #durables = new Map<string, Durable>();
  readonly #ears = new Set<Ear>();
  readonly #storing = new Map<Stream, number>();
  readonly #schedules = new Map<string, { cancel(): void }>();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.host = options.host;
    const { replicated } = options;
    this.events = streamNames(options.streams).map((name) => new Stream({ name, replicated }));
    const others = [
      new Stream({ name: 'KV_loom_leases', replicated: false, maxAge: leaseAge }),
      new Stream({ name: 'KV_loom_snapshots', replicated: false }),
      new Stream({ name: 'LOOM_TIMERS', replicated: false }),
    ];
    this.streams = new Map([...this.events, ...others].map((stream) => [stream.name, stream]));
  }

  get #now(): number {
    return this.host.timeline.now;
  }

  listen(link: Link, pattern: string): () => void {
    const ear = { link, pattern, hears: matcher(pattern) };
    this.#ears.add(ear);
    return () => void this.#ears.delete(ear);
  }

  accept(link: Link, message: Sent): void {
    const { subject } = message;
    if (subject.startsWith('$JS.ACK.')) return this.#acked(message);
    if (subject.startsWith('$JS.API.')) return this.#asked(link, message);
    for (const ear of this.#ears)
      if (ear.hears(subject)) ear.link.give(ear.pattern, { subject, pairs: message.pairs, body: message.body });
    if (subject.startsWith('timers.')) return this.#schedule(link, message);
    const stream = this.#streamFor(subject);
    if (stream !== undefined) this.#append(link, stream, message);
  }

  #streamFor(subject: string): Stream | undefined {
    if (subject.startsWith('$KV.loom_leases.')) return this.streams.get('KV_loom_leases');
    const [first, , partition] = subject.split('.', 3);
    return first === 'loom' ? this.events[Number(partition) % this.events.length] : undefined;
  }

  #append(link: Link, stream: Stream, message: Sent): void {
    const unseen = stream.replicated && this.#options.faults.draws('slipped dispatch') ? longestWay : 0;
    const refusal = stream.propose(message, this.#now, unseen);
    if (refusal !== null) {
      const err_code = refusal === 'in_flight' ? concurrentWriter : wrongLastSequence;
      return this.#answer(link, message, { error: { code: 400, err_code } });
    }
    if (!stream.replicated) return this.#store(link, stream, message);
    const at = Math.max(this.#storing.get(stream) ?? 0, this.#now + this.#commitMs());
    this.#storing.set(stream, at);
    this.host.timeline.in(at - this.#now, this.host, () => this.#store(link, stream, message));
  }

  #store(link: Link, stream: Stream, message: Sent): void {
    const { subject, pairs, body } = message;
    const { held, slipped } = stream.store({ subject, pairs, body }, this.#now);
    if (this.events.includes(stream)) for (const { seq } of slipped) this.#noteSlipped(stream, seq);
    const dies = subject.startsWith('loom.') && this.#options.onStored(link, held);
    if (!dies) this.#answer(link, message, { stream: stream.name, seq: held.seq });
    this.#serve(stream);
  }

  /** Replicas agree within milliseconds, or now and then much later. */
  #commitMs(): number {
    const { faults } = this.#options;
    return faults.strikes('slow commit') ? faults.between(15, longestWay) : faults.between(1, 9);
  }

  #noteSlipped(stream: Stream, seq: number): void {
    const known = this.slipped.get(stream.name) ?? new Set();
    this.slipped.set(stream.name, known.add(seq));
    this.#options.faults.count('slipped dispatch');
  }

  #serve(stream: Stream): void {
    for (const durable of this.#durables.values()) if (durable.options.stream === stream.name) durable.serve();
  }

  /** A message that is to be stored under its target when its time has come; one at a time under each subject. */
  #schedule(link: Link, message: Sent): void {
    const header = (name: string): string => message.pairs.find(([other]) => other === name)?.[1] ?? '';
    const due = Date.parse(header('Nats-Schedule').replace('@at ', ''));
    const target: Message = { subject: header('Nats-Schedule-Target'), pairs: [], body: message.body };
    const stream = this.streams.get('LOOM_TIMERS')!;
    this.#schedules.get(message.subject)?.cancel();
    const fire = (): void => {
      stream.store(target, this.#now);
      this.#serve(stream);
    };
    this.#schedules.set(message.subject, this.host.timeline.in(due - this.#now, this.host, fire));
    this.#answer(link, message, { stream: stream.name, seq: 1 });
  }

  #acked({ subject, body }: Sent): void {
    const [, , stream = '', name = '', , seq = ''] = subject.split('.');
    this.#durable(stream, name).acked(Number(seq), Buffer.from(body).toString());
  }

  #durable(stream: string, name: string): Durable {
    const known = this.#durables.get(`${stream} ${name}`) ?? this.#newDurable(stream, name);
    this.#durables.set(`${stream} ${name}`, known);
    return known;
  }

  #newDurable(stream: string, name: string): Durable {
    const row = rowOf(name);
    const filters = row === undefined || stream === 'LOOM_TIMERS' ? ['>'] : filtersOf(row);
    const matches = filters.map((filter) => matcher(filter));
    const { messages } = this.streams.get(stream)!;
    const own: Held[] = [];
    let seen = 0;
    const next = (after: number): Held | undefined => {
      own.push(...messages.slice(seen).filter(({ subject }) => matches.some((match) => match(subject))));
      seen = messages.length;
      return own.find(({ seq }) => seq > after);
    };
    const wake = (ms: number, run: () => void): void => void this.host.timeline.in(ms, this.host, run);
    return new Durable({ stream, name, ackWait: this.#options.ackWait, now: () => this.#now, next, wake });
  }

  #answer(link: Link, { reply }: Sent, answer: object): void {
    if (reply !== '') link.give(reply, { subject: reply, body: JSON.stringify(answer) });
  }

  #asked(link: Link, message: Sent): void {
    const [, , area = '', verb = '', ...rest] = message.subject.split('.');
    const answers: Readonly<Record<string, () => void>> = {
      'DIRECT.GET': () => this.#directGet(link, message, rest),
      'STREAM.INFO': () => this.#answer(link, message, this.#infoOf(rest[0] ?? '')),
      'STREAM.MSG': () => this.#leaderGet(link, message, rest[1] ?? ''),
      'CONSUMER.INFO': () => this.#answer(link, message, { config: { ack_wait: this.#options.ackWait * 1_000_000 } }),
      'CONSUMER.RESET': () => {
        this.#durable(rest[0] ?? '', rest[1] ?? '').reset();
        this.#answer(link, message, {});
      },
      'CONSUMER.MSG': () => this.#pull(link, message, rest),
    };
    const answer = answers[`${area}.${verb}`];
    if (answer === undefined) throw new RangeError(`the simulated server knows no ${message.subject}`);
    answer();
  }

  #infoOf(name: string): object {
    const index = this.events.findIndex((stream) => stream.name === name);
    const stream = this.events[index];
    if (stream === undefined) return { error: { code: 404 } };
    const config = {
      ...eventStream(index, this.events.length),
      num_replicas: stream.replicated ? 3 : 1,
      metadata: { 'loom.incarnation': 'simulated' },
    };
    return { ts: new Date(this.#now).toISOString(), config, state: { last_seq: stream.messages.at(-1)?.seq ?? 0 } };
  }

  #pull(link: Link, { body, reply }: Sent, [, stream = '', name = '']: readonly string[]): void {
    const { batch, expires } = JSON.parse(Buffer.from(body).toString()) as { batch: number; expires: number };
    this.#durable(stream, name).pull({
      left: batch,
      until: this.#now + expires / 1_000_000,
      isOpen: () => link.host.alive,
      give: (held, ack) => link.give(reply, { ...given(stream, held), reply: ack }),
      end: (code) => link.give(reply, { subject: reply, code }),
    });
  }

  /** Any replica answers, one that is behind as well. */
  #directGet(link: Link, { body, reply }: Sent, [name = '', ...subject]: readonly string[]): void {
    const stream = this.streams.get(name)!;
    const query =
      subject.length > 0 ? { last_by_subj: subject.join('.') } : (JSON.parse(Buffer.from(body).toString()) as Query);
    const { faults } = this.#options;
    const lag = stream.replicated && faults.strikes('stale read') ? faults.between(1, longestLag) : 0;
    if ('next_by_subj' in query)
      return link.giveAll(
        reply,
        batchOf(stream, query, reply, stream.from(query.seq, query.next_by_subj, this.#now, lag)),
      );
    const held =
      'seq' in query ? stream.at(query.seq, this.#now, lag) : stream.last(query.last_by_subj, this.#now, lag);
    link.give(reply, held === null ? { subject: reply, code: 404 } : given(name, held, reply));
  }

  #leaderGet(link: Link, message: Sent, name: string): void {
    const stream = this.streams.get(name)!;
    const query = JSON.parse(Buffer.from(message.body).toString()) as { last_by_subj: string } | { seq: number };
    const held = 'seq' in query ? stream.at(query.seq, this.#now) : stream.last(query.last_by_subj, this.#now);
    if (held === null) return this.#answer(link, message, { error: { code: 404, err_code: 10037 } });
    this.#answer(link, message, { message: asJson(held) });
  }
}
