/** Owns the worker processes of one side; each is stopped through its channel, or by its pid when it does not listen. */
import { nodeEnvironment, nodeFlags } from '@loom/service';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measured } from './meter.ts';
import type { Ask, Half, Tell, Work } from './protocol.ts';

const file = fileURLToPath(new URL('worker.ts', import.meta.url));

class Worker {
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(tell: Tell) => void>();
  #gone: unknown = null;

  constructor(work: Work) {
    this.#child = fork(file, [JSON.stringify(work)], { execArgv: execArgv(work), env: environment(work) });
    this.#child.on('message', (tell) => this.#listeners.forEach((listen) => listen(tell as Tell)));
    const atExit = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', atExit);
    this.#child.once('exit', (code) => {
      this.#gone = code ?? 'a signal';
      process.off('exit', atExit);
    });
  }

  ask(ask: Ask): void {
    if (this.#child.connected) this.#child.send(ask);
  }

  on(listen: (tell: Tell) => void): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  /** @throws when the worker ends before, or within a minute does not say it */
  hears<K extends Tell['kind']>(kind: K): Promise<Extract<Tell, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`a worker of the benchmark ended or fell silent before '${kind}'`));
      const timer = setTimeout(fail, 60_000);
      this.#child.once('exit', fail);
      const off = this.on((tell) => {
        if (tell.kind !== kind) return;
        clearTimeout(timer);
        this.#child.off('exit', fail);
        off();
        resolve(tell as Extract<Tell, { kind: K }>);
      });
      if (this.#gone !== null) fail();
    });
  }

  async stop(): Promise<void> {
    if (this.#gone !== null) return;
    const gone = once(this.#child, 'exit');
    this.ask({ kind: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(timer);
  }
}

/** Loom's services run in their own environment, the raw loop as Node comes. */
const environment = ({ side }: Work): NodeJS.ProcessEnv =>
  side === 'raw' ? process.env : { ...process.env, ...nodeEnvironment };

/** Loom's services run under their own flags, the raw loop under none. LOOM_BENCH_PROFILE=DIR writes a CPU profile of every worker there. */
function execArgv({ side, half }: Work): string[] {
  const dir = process.env['LOOM_BENCH_PROFILE'];
  const flags = side === 'raw' ? ['--disable-warning=ExperimentalWarning'] : nodeFlags;
  return dir === undefined ? [...flags] : [...flags, '--cpu-prof', `--cpu-prof-dir=${dir}/${side}-${half}`];
}

/** Processor time (µs) and memory (MiB) are the sums over the workers. */
export type Ran = Measured & { readonly cpu: number; readonly memory: number };

export interface Crew extends AsyncDisposable {
  reset(): void;
  begin(loops: readonly string[]): void;
  /** Calls back for each loop that has ended. */
  onEnded(listen: () => void): () => void;
  measure(together: boolean): Promise<Ran>;
}

/** One process (`both`), or one for each half. */
export async function startCrew(work: Omit<Work, 'half'>, layout: 'together' | 'apart'): Promise<Crew> {
  const halves: readonly Half[] = layout === 'together' ? ['both'] : ['decider', 'runner'];
  const workers = halves.map((half) => new Worker({ ...work, half }));
  const runner = workers.at(-1)!;
  const dispose = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };
  try {
    await Promise.all(workers.map((worker) => worker.hears('ready')));
  } catch (cause) {
    await dispose();
    throw cause;
  }
  return {
    reset: () => workers.forEach((worker) => worker.ask({ kind: 'reset' })),
    begin: (loops) => runner.ask({ kind: 'begin', loops }),
    onEnded: (listen) => runner.on((tell) => void (tell.kind === 'ended' && listen())),
    async measure(together) {
      const answers = workers.map((worker) => worker.hears('measured'));
      for (const worker of workers) worker.ask({ kind: 'measure', together });
      const told = await Promise.all(answers);
      const sum = (what: 'cpu' | 'memory'): number => told.reduce((total, one) => total + one[what], 0);
      return { ...told.at(-1)!.measured, cpu: sum('cpu'), memory: sum('memory') };
    },
    [Symbol.asyncDispose]: dispose,
  };
}
