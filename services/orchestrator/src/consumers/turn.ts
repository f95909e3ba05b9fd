/**
 * One turn of a job: fold, decide, record, dispatch, until nothing is missing.
 * T1  one turn per job per process; triggers that come meanwhile share the next one.
 * T2  a turn ends only after a fold that includes its trigger and after every pending dispatch, lost slot and timer is acknowledged (invariant 4).
 * T3  a lost fence is no error: the winner's decision is folded and the question asked anew.
 * T4  nothing is missing from a job that has ended, whatever comes later: its state is let go, its name kept.
 */
import { JobCache, pendingDispatches, replayOf, type Job } from '@loom/job';
import type { Address, Log } from '@loom/log';
import { inSpan, metrics } from '@loom/service';
import { decide, type Decide } from '../domain/decide.ts';
import { forkIsDue } from '../domain/fork.ts';
import type { Intake, Parent } from '../domain/intake.ts';
import { lostSlots } from '../domain/settle.ts';
import { timers } from '../domain/timers.ts';
import { DECIDER } from '../domain/version.ts';

const decisions = metrics.counter('loom_orchestrator_decisions_total', 'Decisions recorded.');
const fencesLost = metrics.counter(
  'loom_orchestrator_fences_lost_total',
  'Decisions that another orchestrator made first.',
);

/** What a fork takes over; null when it cannot be opened any more. */
export type Parents = (fork: Job) => Promise<Parent | null>;

interface Options {
  /** Another decider, for a benchmark or a planted bug. */
  readonly decide?: Decide;
  /** Told of the state that each turn leaves. */
  readonly left?: (job: Job) => void;
}

interface Lane {
  waiting: { seq: number; resolve: () => void; reject: (cause: unknown) => void }[];
  running: boolean;
}

const mostEnded = 10_000;
const nameOf = (at: Address): string => `${at.tenant}/${at.stream}`;

export class Turns {
  readonly #log: Log;
  readonly #jobs: JobCache;
  readonly #intake: Intake;
  readonly #parents: Parents;
  readonly #decide: Decide;
  readonly #left: (job: Job) => void;
  readonly #lanes = new Map<string, Lane>();
  /** Timers that are armed and have not fired, by job and name: when they are due. */
  readonly #armed = new Map<string, Map<string, number>>();
  /** Jobs that ended while this process looked on, the latest of them. */
  readonly #ended = new Set<string>();

  constructor(log: Log, intake: Intake, parents: Parents, options: Options = {}) {
    this.#log = log;
    const fed = { read: (...[at, options]: Parameters<Log['readFed']>) => log.readFed(at, options) };
    this.#jobs = new JobCache({ ...fed, snapshots: log.snapshots }, { keeps: true });
    this.#intake = intake;
    this.#parents = parents;
    this.#decide = options.decide ?? decide;
    this.#left = options.left ?? (() => undefined);
  }

  /** Resolves when a turn that saw `seq` is over; `seq` 0 looks at the job as it stands. */
  take(at: Address, seq: number, traceparent = ''): Promise<void> {
    const key = nameOf(at);
    if (this.#ended.has(key)) return Promise.resolve();
    const lane = this.#lanes.get(key) ?? { waiting: [], running: false };
    this.#lanes.set(key, lane);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ seq, resolve, reject });
      if (!lane.running) void this.#run(key, lane, at, traceparent);
    });
  }

  async #run(key: string, lane: Lane, at: Address, traceparent: string): Promise<void> {
    lane.running = true;
    while (lane.waiting.length > 0) {
      const served = lane.waiting.splice(0);
      try {
        await inSpan('orchestrator.turn', traceparent, { 'loom.job': at.stream }, () =>
          this.#turn(at, Math.max(...served.map(({ seq }) => seq))),
        );
        for (const { resolve } of served) resolve();
      } catch (cause) {
        for (const { reject } of served) reject(cause);
      }
    }
    this.#lanes.delete(key);
  }

  async #turn(at: Address, seen: number): Promise<void> {
    for (let minSeq = seen; ;) {
      const job = await this.#jobs.at(at, minSeq);
      await this.#settle(job);
      const drafts = this.#decide(job, forkIsDue(job) ? await this.#withParent(job) : this.#intake);
      if (drafts.length === 0) return this.#leave(job);
      const made = await this.#log.decide(at, drafts, job, { decider: DECIDER, replay: replayOf(job) });
      (made ? decisions : fencesLost).add(1);
      minSeq = made?.seq ?? minSeq;
    }
  }

  async #withParent(fork: Job): Promise<Intake> {
    return { ...this.#intake, parent: await this.#parents(fork) };
  }

  async #settle(job: Job): Promise<void> {
    await Promise.all(
      lostSlots(job).map(({ source, draft }) =>
        this.#log.append(job, draft, { source, basis: job.seq, replay: replayOf(job) }),
      ),
    );
  }

  /** Work goes out before the trigger is acknowledged; each request under its unique subject, so twice is once. */
  async #leave(job: Job): Promise<void> {
    await Promise.all(
      pendingDispatches(job).map((dispatch) => this.#log.dispatch(job, { ...dispatch, replay: replayOf(job) })),
    );
    await this.#arm(job);
    this.#left(job);
  }

  /** Only what is due next is armed: an older timer that is still to fire makes a turn that arms what comes then. */
  async #arm(job: Job): Promise<void> {
    const armed = this.#armed.get(job.stream) ?? new Map<string, number>();
    for (const name of armed.keys()) if (job.fired.has(name)) armed.delete(name);
    const [first] = timers(job).toSorted((a, b) => a.due - b.due);
    if (first && ![...armed.values()].some((due) => due <= first.due)) {
      const { kind, key, due: dueMs } = first;
      await this.#log.armTimer(job, { kind, key, dueMs });
      armed.set(`${kind}-${key}`, dueMs);
    }
    if (job.ended) this.#letGo(job);
    else this.#armed.set(job.stream, armed);
  }

  #letGo(job: Job): void {
    this.#armed.delete(job.stream);
    this.#jobs.forget(job);
    this.#ended.add(nameOf(job));
    const [oldest] = this.#ended;
    if (this.#ended.size > mostEnded && oldest !== undefined) this.#ended.delete(oldest);
  }
}
