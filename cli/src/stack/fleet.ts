/**
 * Owns the services of one stack. F1 they start in the order of the table, those without a gateway at once; they stop
 * in reverse. F2 in one process nothing can be killed alone; apart, kill -9 and restart of one leave the others be.
 */
import { join } from 'node:path';
import { messageOf } from '../failure.ts';
import { services, type Env } from './environment.ts';
import { startApart, startHere, type Service } from './service.ts';

export interface Fleet extends AsyncDisposable {
  pids(): Readonly<Record<string, number>>;
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
}

interface Options {
  readonly split: boolean;
  readonly shielded: boolean;
  readonly logs: string;
  readonly environment: (service: string) => Env;
  /** Called when a service is up. */
  readonly started: (name: string) => void;
}

/** Starts all services. @throws when one cannot start; those that did are stopped */
export async function startFleet(options: Options): Promise<Fleet> {
  const running = new Map<string, Service>();
  const start = async (name: string): Promise<void> => {
    const env = options.environment(name);
    const log = join(options.logs, `${name}.log`);
    running.set(name, options.split ? await startApart(name, env, log, options.shielded) : await startHere(name, env));
    options.started(name);
  };
  const dispose = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const name of Object.keys(services).toReversed()) {
      await running
        .get(name)
        ?.stop()
        .catch((cause: unknown) => failures.push(cause));
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `services did not stop cleanly: ${failures.map(messageOf).join('; ')}`);
  };
  try {
    await startAll(start);
  } catch (cause) {
    await dispose();
    throw cause;
  }
  return {
    pids: () => Object.fromEntries([...running].map(([name, { pid }]) => [name, pid])),
    kill: async (name) => running.get(name)?.kill(),
    restart: start,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Gateway and evals last: who can reach the gateway finds a whole system behind it. */
async function startAll(start: (name: string) => Promise<void>): Promise<void> {
  const last = ['gateway', 'evals'];
  const first = Object.keys(services).filter((name) => !last.includes(name));
  const outcomes = await Promise.allSettled(first.map(start));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  for (const name of last) await start(name);
}
