/**
 * Owns the child processes of one Node process. Each is known by its own pid and stopped by it, never by name;
 * whatever is left when this process exits is killed then.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/** Starts a program whose end is tied to ours. Its pid is there when this returns. @throws when it cannot be executed */
export async function launch(file: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  const child = spawn(file, args, options);
  await once(child, 'spawn');
  live.add(child);
  child.once('exit', () => live.delete(child));
  return child;
}

/** Whether a process runs. A zombie, which nobody has waited for, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EPERM')) return false;
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''));
  } catch {
    return false;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Asks with `signal`, kills after `graceMs`; returns once the process is gone. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM', graceMs = 10_000): Promise<void> {
  if (hasEnded(child)) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

/** Polls `probe` until it gives a value. @throws with the child's last words when it ends first or `timeoutMs` passes */
export async function until<T>(
  child: ChildProcess,
  probe: () => Promise<T | null>,
  words: () => string,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null) return value;
    if (hasEnded(child) || Date.now() > deadline) throw new Error(`${child.spawnfile} did not start: ${words()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Keeps the last 4 KiB that a child says, for its obituary. Drains the pipes, so that it never blocks on them. */
export function lastWords(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-4096);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text.trim();
}
