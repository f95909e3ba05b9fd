/**
 * What is done to the processes of a rig. Owns the list of faults, a turn for each process, and what services are told when they start.
 * F1  One fault at a time for each process; it runs again when the fault is over.
 * F2  A process is known by its own pid, and stopped by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Waste } from '@loom/check';
import type { Stack } from '@loom/test';
import type { Random } from './random.ts';

type Kind = 'kill' | 'crash' | 'pause' | 'deploy' | 'nats' | 'postgres' | 'outage' | 'fell';

interface Fault {
  readonly kind: Kind;
  readonly name: string;
}

/** Names of the lives that ended at their crash points, written by the processes themselves. */
export type Deaths = () => Promise<readonly string[]>;

/** The service that a replica is one of. */
export const serviceOf = (replica: string): string => replica.replace(/-\d+$/, '');

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

export class Faults {
  readonly #stack: Stack;
  readonly #random: Random;
  readonly #deaths: Deaths;
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Turns that are under way or wait, by process. */
  readonly #waiting = new Map<string, number>();
  readonly #settings = new Map<string, Readonly<Record<string, string>>>();
  readonly #done: Fault[] = [];
  /** Lives that were to end at a point. */
  #count = 0;

  constructor(stack: Stack, random: Random, deaths: Deaths) {
    this.#stack = stack;
    this.#random = random;
    this.#deaths = deaths;
  }

  /** Names of all replicas. */
  get replicas(): readonly string[] {
    return Object.keys(this.#stack.state().pids).filter((name) => name !== 'nats-server' && name !== 'postgres');
  }

  /** Those to which nothing is being done; all of them when there is none. */
  free(names: readonly string[]): readonly string[] {
    const free = names.filter((name) => (this.#waiting.get(name) ?? 0) === 0);
    return free.length > 0 ? free : names;
  }

  counts(): Readonly<Record<string, number>> {
    const kinds = Map.groupBy(this.#done, ({ kind }) => kind);
    return Object.fromEntries([...kinds].map(([kind, faults]) => [kind, faults.length]));
  }

  /**
   * How many calls and runs may have been repeated: one for each fault of a runner or a sandbox, which have one in hand, and one for each
   * of them when the log was killed, which kept all of them from saying what they had done. No other fault may cost any.
   */
  get mayRepeat(): Waste {
    const logKills = this.#done.filter(({ kind }) => kind === 'nats').length;
    const of = (service: string): number => {
      const isOne = (name: string): boolean => serviceOf(name) === service;
      return this.#done.filter(({ name }) => isOne(name)).length + logKills * this.replicas.filter(isOne).length;
    };
    return { models: of('agent-runner'), runs: of('sandbox') };
  }

  /** All replicas of a service are told something else from now on, by a rolling deploy. */
  async configure(service: string, settings: Readonly<Record<string, string>>): Promise<void> {
    this.#settings.set(service, settings);
    for (const name of this.replicas.filter((one) => serviceOf(one) === service)) await this.deploy(name);
  }

  /** kill -9, and a start after a moment. */
  kill(name: string, downMs = this.#random.below(300)): Promise<void> {
    return this.#on(name, 'kill', async () => {
      await this.#stack.kill(name);
      await sleep(downMs);
      await this.#start(name);
    });
  }

  /**
   * Lives that end at named points, one after the other, then one as it should be.
   * @returns the points that were not met within `seconds`
   */
  crash(name: string, points: Iterable<string> | AsyncIterable<string>, seconds = 20): Promise<readonly string[]> {
    return this.#on(name, null, async () => {
      const missed: string[] = [];
      await this.#stack.kill(name);
      this.#note(name, 'kill');
      for await (const point of points) {
        if (!(await this.#meets(name, point, Date.now() + seconds * 1000))) missed.push(point);
      }
      await this.#start(name);
      return missed;
    });
  }

  /** Lives until one ends at the point; false when none did in time. One that ends by itself, since the log is away say, is followed by the next. */
  async #meets(name: string, point: string, until: number): Promise<boolean> {
    for (;;) {
      const how = await this.#lives(name, point, until - Date.now());
      this.#note(name, how);
      if (how === 'crash') return true;
      if (how === 'kill' || Date.now() > until) return false;
    }
  }

  /** One life of a process that is to die at a point; how it ended. */
  async #lives(name: string, point: string, ms: number): Promise<'crash' | 'fell' | 'kill'> {
    const enough = new AbortController();
    const life = `${name}/${(this.#count += 1)}`;
    const env = { ...this.#settings.get(serviceOf(name)), LOOM_CRASH_AT: point, LOOM_CHAOS_LIFE: life };
    await this.#stack.restart(name, env).catch(() => undefined); // it may die while it starts
    const late = sleep(Math.max(0, ms), false, { signal: enough.signal }).catch(() => false);
    const died = await Promise.race([this.#stack.ended(name).then(() => true), late]);
    enough.abort();
    if (!died) await this.#stack.kill(name);
    if ((await this.#deaths()).includes(life)) return 'crash';
    return died ? 'fell' : 'kill';
  }

  /** Stops the clock of a process for so long: a zombie when it comes back. */
  pause(name: string, ms: number): Promise<void> {
    return this.#on(name, 'pause', async () => {
      const pid = this.#stack.state().pids[name] ?? 0;
      if (pid === 0) return;
      process.kill(pid, 'SIGSTOP');
      await sleep(ms);
      process.kill(pid, 'SIGCONT');
    });
  }

  /** SIGTERM and a start, as a rolling deploy does it. @returns ms that the drain took */
  deploy(name: string): Promise<number> {
    return this.#on(name, 'deploy', async () => {
      const began = Date.now();
      await this.#stack.stop(name);
      const took = Date.now() - began;
      await this.#start(name);
      return took;
    });
  }

  /** kill -9 of nats-server or Postgres, and a start. */
  killStore(name: 'nats-server' | 'postgres'): Promise<void> {
    return this.#on(name, name === 'postgres' ? 'postgres' : 'nats', async () => {
      await this.#stack.kill(name);
      await sleep(this.#random.below(500));
      await this.#stack.restart(name);
    });
  }

  /** All of these are away while `work` runs. */
  async outage<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const over = Promise.withResolvers<undefined>();
    const away = names.map((name) => {
      const down = Promise.withResolvers<undefined>();
      const done = this.#on(name, 'outage', async () => {
        await this.#stack.kill(name);
        down.resolve(undefined);
        await over.promise;
        await this.#start(name);
      });
      return { down: down.promise, done };
    });
    await Promise.all(away.map(({ down }) => down));
    try {
      return await work();
    } finally {
      over.resolve(undefined);
      await Promise.all(away.map(({ done }) => done));
    }
  }

  /** Until no fault is going on and everything runs; what fell over by itself is counted and started. */
  async quiet(): Promise<void> {
    await Promise.allSettled(this.#turns.values());
    await Promise.all(
      this.replicas.map((name) =>
        this.#on(name, null, async () => {
          if (isAlive(this.#stack.state().pids[name] ?? 0)) return;
          this.#note(name, 'fell');
          await this.#start(name);
        }),
      ),
    );
  }

  /** As an operating system's supervisor would: what cannot start, because the log is away, is started again. */
  async #start(name: string, seconds = 60): Promise<void> {
    for (const end = Date.now() + seconds * 1000; ; await sleep(200)) {
      try {
        return await this.#stack.restart(name, this.#settings.get(serviceOf(name)));
      } catch (cause) {
        if (Date.now() > end) throw cause;
      }
    }
  }

  #note(name: string, kind: Kind): void {
    this.#done.push({ kind, name });
  }

  #on<T>(name: string, kind: Kind | null, work: () => Promise<T>): Promise<T> {
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1);
    const turn = (this.#turns.get(name) ?? Promise.resolve())
      .then(() => {
        if (kind !== null) this.#note(name, kind);
        return work();
      })
      .finally(() => this.#waiting.set(name, (this.#waiting.get(name) ?? 1) - 1));
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }
}
