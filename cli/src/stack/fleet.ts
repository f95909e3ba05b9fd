/**
 * Owns the services of one stack. F1 they start in the order of the table, those without a gateway at once; they stop
 * in reverse. F2 in one process nothing can be killed alone; apart, kill -9 and restart of one leave the others be.
 * F3 the first replica of a service bears its name, the next `<service>-2` and so on.
 */
import { join } from 'node:path';
import { messageOf } from '../failure.ts';
import { replicaNames, serviceOf, type Env, type Replicas } from './environment.ts';
import { startApart, startHere, type Service } from './service.ts';

export interface Fleet extends AsyncDisposable {
  pids(): Readonly<Record<string, number>>;
  /** kill -9 */
  kill(name: string): Promise<void>;
  /** SIGTERM; returns when it has drained and is gone. */
  stop(name: string): Promise<void>;
  /** Starts one whose process has ended; `env` goes before what it is told otherwise. */
  restart(name: string, env?: Env): Promise<void>;
  /** Resolves when the process that a replica runs in now has ended. */
  ended(name: string): Promise<void>;
}

interface Options {
  readonly split: boolean;
  readonly shielded: boolean;
  readonly logs: string;
  readonly replicas: Replicas;
  /** A module that each process loads first; split only. */
  readonly preload?: string;
  readonly environment: (replica: string) => Env;
  /** Called when a replica is up. */
  readonly started: (name: string) => void;
}

/** Starts all services. @throws when one cannot start; those that did are stopped */
export async function startFleet(options: Options): Promise<Fleet> {
  const running = new Map<string, Service>();
  const names = replicaNames(options.replicas);
  const start = async (name: string, more: Env = {}): Promise<void> => {
    running.set(name, await startOne(name, { ...options.environment(name), ...more }, options));
    options.started(name);
  };
  const dispose = (): Promise<void> => stopAll(names.toReversed().flatMap((name) => running.get(name) ?? []));
  try {
    await startAll(names, start);
  } catch (cause) {
    await dispose();
    throw cause;
  }
  return {
    pids: () => Object.fromEntries([...running].map(([name, { pid }]) => [name, pid])),
    kill: async (name) => running.get(name)?.kill(),
    stop: async (name) => running.get(name)?.stop(),
    restart: start,
    ended: async (name) => running.get(name)?.ended,
    [Symbol.asyncDispose]: dispose,
  };
}

async function stopAll(running: readonly Service[]): Promise<void> {
  const failures: unknown[] = [];
  for (const service of running) await service.stop().catch((cause: unknown) => failures.push(cause));
  if (failures.length > 0)
    throw new AggregateError(failures, `services did not stop cleanly: ${failures.map(messageOf).join('; ')}`);
}

function startOne(name: string, env: Env, { split, logs, shielded, preload }: Options): Promise<Service> {
  const service = serviceOf(name);
  if (!split) return startHere(service, env);
  const log = join(logs, `${name}.log`);
  return startApart(service, env, { log, shielded, ...(preload === undefined ? {} : { preload }) });
}

/** Gateway and evals last: who can reach the gateway finds a whole system behind it. */
async function startAll(names: readonly string[], start: (name: string) => Promise<void>): Promise<void> {
  const isLast = (name: string): boolean => ['gateway', 'evals'].includes(serviceOf(name));
  const outcomes = await Promise.allSettled(names.filter((name) => !isLast(name)).map((name) => start(name)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  for (const name of names.filter(isLast)) await start(name);
}
