/**
 * Owns `run/stack.json`: which stack runs on a data folder, by pids. S1 one stack a folder. S2 a pid is only ever
 * signalled while its command line still names this folder or this checkout: pids are used again.
 */
import { readFile, rm } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import { isAlive } from './process.ts';
import { root } from '../root.ts';
import { layout, readIfThere, writeSecret } from './files.ts';

export interface StackState {
  readonly url: string;
  readonly natsUrl: string;
  /** On loopback. */
  readonly postgresPort: number;
  /** Event streams of the log. */
  readonly streams: number;
  readonly split: boolean;
  readonly startedAt: string;
  /** The process that runs the stack. */
  readonly pid: number;
  readonly pids: Readonly<Record<string, number>>;
  readonly healthPorts: Readonly<Record<string, number>>;
}

export async function readState(home: string): Promise<StackState | null> {
  const text = await readIfThere(layout(home).state);
  return text === null ? null : (JSON.parse(text) as StackState);
}

/** The stack that runs on this folder now, else null. */
export async function runningStack(home: string): Promise<StackState | null> {
  const state = await readState(home);
  return state !== null && isAlive(state.pid) && (await isOurs(state.pid, home)) ? state : null;
}

export async function writeState(home: string, state: StackState): Promise<void> {
  await writeSecret(layout(home).state, JSON.stringify(state, null, 2));
}

export async function clearState(home: string): Promise<void> {
  await rm(layout(home).state, { force: true });
}

/** Whether a pid is a process of a stack on `home`. Without /proc (macOS) the pid alone has to do. */
async function isOurs(pid: number, home: string): Promise<boolean> {
  if (pid === process.pid || process.platform !== 'linux') return true;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes(home) || command.includes(root);
}

async function gone(pid: number, seconds: number): Promise<boolean> {
  for (let i = 0; i < seconds * 20 && isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  return !isAlive(pid);
}

async function end(pid: number, home: string): Promise<void> {
  if (pid === process.pid || !isAlive(pid) || !(await isOurs(pid, home))) return;
  process.kill(pid, 'SIGTERM');
  if (await gone(pid, 30)) return;
  process.kill(pid, 'SIGKILL');
  await gone(pid, 5);
}

/** Stops the stack of a folder: its own process first, then what a killed one left behind. True when there was one. */
export async function stopStack(home: string): Promise<boolean> {
  const state = await readState(home);
  if (state === null) return false;
  await end(state.pid, home);
  for (const pid of Object.values(state.pids)) await end(pid, home);
  await clearState(home);
  return true;
}

/** Makes way for a new stack: ends the leftovers of a killed one. @throws Failure 1 when one is up */
export async function takeOver(home: string): Promise<void> {
  const up = await runningStack(home);
  if (up !== null) throw new Failure(1, `a stack is up already at ${up.url} (pid ${up.pid})`, ['./loom down stops it']);
  await stopStack(home);
}
