/**
 * Runs cases, each in a process group of its own. R1 nothing of a case outlives it: its whole group is killed when it
 * ends or its time is up, and with it what it started in other groups. R2 at most two run at once, and one that wants to be alone is.
 */
import { spawn } from 'node:child_process';
import { root } from '../root.ts';
import type { Case } from './cases.ts';
import type { Run, Verdict } from './judge.ts';
import { killMarked, newMark } from './leftovers.ts';

export interface Result {
  readonly name: string;
  readonly verdict: Verdict;
  readonly seconds: number;
  readonly output: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Longest output that is kept of a case; its end is what tells. */
const outputCap = 256 * 1024;

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

/** Runs one command in `dir` until it ends, `seconds` pass or `signal` aborts. */
export async function runCommand(
  command: readonly string[],
  options: { readonly dir: string; readonly env: Env; readonly seconds: number; readonly signal?: AbortSignal },
): Promise<Run> {
  const [program = '', ...args] = command;
  const mark = newMark();
  const child = spawn(program, args, {
    cwd: options.dir,
    env: { ...options.env, [mark]: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-outputCap));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, options.seconds * 1000);
  const abort = (): void => killGroup(child.pid);
  options.signal?.addEventListener('abort', abort);
  let rid: Promise<void> = Promise.resolve();
  const exit = await new Promise<number | null>((resolve) => {
    child.once('error', (cause) => resolve((keep(Buffer.from(cause.message)), 127)));
    child.once('exit', () => {
      killGroup(child.pid);
      rid = killMarked(mark); // these may hold the pipes open
    });
    child.once('close', resolve);
  });
  await rid;
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', abort);
  return { exit, timedOut, output };
}

async function runCase(one: Case, env: Env, signal: AbortSignal): Promise<Result> {
  const started = performance.now();
  const run = await runCommand(one.command, { dir: root, env, seconds: one.seconds, signal });
  const seconds = (performance.now() - started) / 1000;
  return { name: one.name, verdict: one.judge(run), seconds, output: run.output };
}

/** Runs all cases, those that may share the machine first, two at a time; `done` is called as each ends. */
export async function runCases(
  cases: readonly Case[],
  env: Env,
  signal: AbortSignal,
  done: (result: Result) => void,
): Promise<void> {
  const lane = async (queue: Case[]): Promise<void> => {
    for (let next = queue.shift(); next && !signal.aborted; next = queue.shift())
      done(await runCase(next, env, signal));
  };
  const shared = cases.filter(({ alone }) => !alone);
  await Promise.all([lane(shared), lane(shared)]);
  await lane(cases.filter(({ alone }) => alone));
}
