/**
 * What is done to the processes of a rig. Owns the count of faults by kind, and a turn for each process.
 * F1  One fault at a time for each process; it runs again when the fault is over.
 * F2  A process is known by its own pid, and stopped by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '@loom/test';
import type { Random } from './random.ts';

export type Kind = 'kill' | 'crash' | 'pause' | 'deploy' | 'nats' | 'postgres' | 'outage' | 'fell';

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
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #counts = new Map<Kind, number>();

  constructor(stack: Stack, random: Random) {
    this.#stack = stack;
    this.#random = random;
  }

  /** Names of all replicas. */
  get replicas(): readonly string[] {
    return Object.keys(this.#stack.state().pids).filter((name) => name !== 'nats-server' && name !== 'postgres');
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Faults that may have cost a call or a run its outcome. */
  get disruptions(): number {
    return [...this.#counts].reduce((sum, [, count]) => sum + count, 0);
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
  crash(name: string, points: Iterable<string>, seconds = 20): Promise<readonly string[]> {
    return this.#on(name, null, async () => {
      const missed: string[] = [];
      await this.#stack.kill(name);
      this.#count('kill');
      for (const point of points) {
        const met = await this.#diesAt(name, point, seconds);
        this.#count(met ? 'crash' : 'kill');
        if (!met) missed.push(point);
      }
      await this.#start(name);
      return missed;
    });
  }

  /** One life of a process that is to die at a point; false when it was not met, it is then killed. */
  async #diesAt(name: string, point: string, seconds: number): Promise<boolean> {
    const enough = new AbortController();
    await this.#stack.restart(name, { LOOM_CRASH_AT: point }).catch(() => undefined); // it may die while it starts
    const late = sleep(seconds * 1000, false, { signal: enough.signal }).catch(() => false);
    const died = await Promise.race([this.#stack.ended(name).then(() => true), late]);
    enough.abort();
    if (!died) await this.#stack.kill(name);
    return died;
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
          this.#count('fell');
          await this.#start(name);
        }),
      ),
    );
  }

  /** As an operating system's supervisor would: what cannot start, because the log is away, is started again. */
  async #start(name: string, seconds = 60): Promise<void> {
    for (const end = Date.now() + seconds * 1000; ; await sleep(200)) {
      try {
        return await this.#stack.restart(name);
      } catch (cause) {
        if (Date.now() > end) throw cause;
      }
    }
  }

  #count(kind: Kind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  #on<T>(name: string, kind: Kind | null, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(() => {
      if (kind !== null) this.#count(kind);
      return work();
    });
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }
}
