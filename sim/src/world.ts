/**
 * One simulated Loom from a seed: a server in memory, two orchestrators, two agent-runners, a sandbox, a person, and the faults that meet them.
 * W1  Everything is drawn from the seed; the same seed is the same history, byte for byte.
 * W2  The faults end when their time is over; from then on everything runs, and the job has to come to its end.
 */
import { randomOf } from '@loom/chaos';
import type { Random } from '@loom/chaos';
import type { EngineRun } from '@loom/check';
import type { NatsConnection } from '@nats-io/nats-core';
import './clock.ts';
import type { Bug } from './bugs.ts';
import { endIn, factOf } from './facts.ts';
import { Faults } from './faults.ts';
import { memoryBlobs } from './keys.ts';
import { Person } from './people.ts';
import { Provider } from './provider.ts';
import { Link } from './server/connection.ts';
import type { Sent } from './server/connection.ts';
import { Server } from './server/server.ts';
import type { Held } from './server/stream.ts';
import { inHost, Timeline } from './timeline.ts';
import type { Host } from './timeline.ts';
import { logOf, orchestrator, runner, sandbox } from './workers.ts';
import type { Place } from './workers.ts';

const began = Date.UTC(2026, 0, 1);
const stormMs = 25_000;
/** What comes after the last job's end is waited for, and how long all may take at most; ms. */
const afterwards = 4_500;
const longest = 3_600_000;
const streams = 1;

/** A process that is started again when it died. */
interface Replica {
  readonly name: string;
  readonly work: (place: Place) => Promise<void>;
  host: Host;
}

export class World {
  readonly timeline = new Timeline(began);
  readonly faults: Faults;
  readonly server: Server;
  readonly provider: Provider;
  readonly runs: EngineRun[] = [];
  readonly bug: Bug | null;
  readonly #random: Random;
  readonly #replicas: Replica[] = [];
  readonly #blobs = memoryBlobs();
  readonly #sweepMs: number;
  readonly #patience: number;
  readonly #splitLease: boolean;
  #person: Person | null = null;
  /** Jobs that have not ended. */
  readonly #open = new Set<string>();
  /** Since when there is none; null: there are some. */
  #stillSince: number | null = null;

  constructor(seed: number, bug: Bug | null) {
    this.bug = bug;
    this.#random = randomOf(seed);
    const random = this.#random;
    const fierce = 0.25 + random.next() * 1.5;
    const rates = {
      drop: 0.006,
      duplicate: 0.01,
      delay: 0.003,
      reorder: 0.02,
      'crash before append': 0.012,
      'crash after append': 0.012,
      'stale read': 0.2,
      'slow commit': 0.15,
      'slipped dispatch': 1,
      'model failure': 0.08,
      'late answer': 0.015,
      pause: 0.35,
      'split lease': 0.5,
    };
    const scaled = Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rate * fierce]));
    this.faults = new Faults(randomOf(random.below(2 ** 31)), scaled);
    this.#sweepMs = random.chance(0.5) ? 1_500 + random.below(2_500) : 20_000;
    this.#patience = random.chance(0.3) ? 4_000 : 30_000;
    this.#splitLease = this.faults.strikes('split lease');
    this.server = new Server({
      host: this.#hostOf('server'),
      faults: this.faults,
      streams,
      replicated: random.chance(0.6),
      ackWait: 2_000 + random.below(6_000),
      onStored: (link, held) => this.#stored(link, held),
    });
    this.provider = new Provider(this.server, this.faults, randomOf(random.below(2 ** 31)));
  }

  /** Lives through the whole of it. */
  async live(): Promise<void> {
    const { timeline } = this;
    for (const name of ['orchestrator-1', 'orchestrator-2']) this.#start(name, orchestrator);
    for (const name of ['runner-1', 'runner-2']) this.#start(name, runner);
    this.#start('sandbox-1', sandbox);
    this.#bring();
    timeline.in(stormMs, this.server.host, () => this.faults.end());
    const over = (): boolean => this.#stillSince !== null && timeline.now > this.#stillSince + afterwards;
    await timeline.run(over, began + longest);
    this.faults.end();
    for (const { host } of this.#replicas) host.alive = false;
  }

  /** A process apart from the job, and its connection. */
  visitor(name: string): { readonly host: Host; readonly connection: NatsConnection } {
    const host = this.#hostOf(name);
    return { host, connection: new Link(host, name, this.server, this.faults, (sent) => sent).asConnection() };
  }

  #bring(): void {
    const { host, connection } = this.visitor('gateway');
    const random = randomOf(this.#random.below(2 ** 31));
    const place = { ...this.#placeOf(host, connection), bug: null };
    inHost(host, () => {
      void logOf(place, 'gateway').then((log) => {
        this.#person = new Person(host, log, random);
        this.#person.begin();
      });
    });
  }

  #hostOf(name: string): Host {
    const random = randomOf(this.#random.below(2 ** 31));
    return { name, timeline: this.timeline, random, alive: true, pausedUntil: 0 };
  }

  #start(name: string, work: Replica['work']): void {
    const replica: Replica = { name, work, host: this.#hostOf(name) };
    this.#replicas.push(replica);
    this.#boot(replica);
    if (this.faults.strikes('pause'))
      this.timeline.in(this.faults.between(100, stormMs / 2), this.server.host, () => this.#pause(replica));
  }

  #boot(replica: Replica): void {
    const host = this.#hostOf(replica.name);
    replica.host = host;
    const link = new Link(host, replica.name, this.server, this.faults, (sent) => this.#leaving(replica, sent));
    const place = this.#placeOf(host, link.asConnection());
    inHost(host, () => void replica.work(place).catch(() => this.#crash(replica)));
  }

  #placeOf(host: Host, connection: NatsConnection): Place {
    return {
      host,
      connection,
      bug: this.bug,
      streams,
      sweepMs: this.#sweepMs,
      patience: this.#patience,
      provider: this.provider,
      blobs: this.#blobs,
      runs: this.runs,
    };
  }

  #pause({ host }: Replica): void {
    host.pausedUntil = this.timeline.now + this.faults.between(500, 9_000);
  }

  /** Dead at once; another life begins a little later. */
  #crash(replica: Replica): void {
    if (!replica.host.alive) return;
    replica.host.alive = false;
    this.timeline.in(this.faults.between(20, 2_500), this.server.host, () => this.#boot(replica));
  }

  #leaving(replica: Replica, sent: Sent): Sent | null {
    if (sent.subject.startsWith('loom.') && this.faults.strikes('crash before append')) {
      this.faults.crashes.add(`before ${actOf(sent.subject)}`);
      this.#crash(replica);
      return null;
    }
    const told = this.bug?.sent?.(sent) ?? sent;
    if (!this.#splitLease || replica.name !== 'orchestrator-2') return told;
    return { ...told, subject: told.subject.replace('loom_leases.orchestrator', 'loom_leases.another-orchestrator') };
  }

  /** True when the writer dies of it. */
  #stored(link: Link, held: Held): boolean {
    const fact = factOf(held);
    const { stream, type } = fact;
    if (type === 'job.submitted') this.#open.add(stream);
    if (endIn(fact) !== null) this.#open.delete(stream);
    this.#stillSince = this.#open.size > 0 ? null : (this.#stillSince ?? this.timeline.now);
    this.#person?.see(fact);
    const replica = this.#replicas.find(({ host }) => host === link.host);
    if (replica === undefined || !replica.host.alive || !this.faults.strikes('crash after append')) return false;
    this.faults.crashes.add(`after ${actOf(held.subject)}`);
    this.#crash(replica);
    return true;
  }
}

/** `<source>.<noun>.<verb>` */
const actOf = (subject: string): string => subject.split('.').slice(5, 8).join('.');
