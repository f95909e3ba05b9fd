/**
 * What a case started and left behind in process groups of its own (a Loom that was meant to stay up, a browser): known by a variable that only its
 * processes inherit, wherever they hang by now. Told by /proc, so on Linux alone; elsewhere the group has to do.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../stack/process.ts';

/** A name for a variable that no other process has. Services hand on what begins so. */
export const newMark = (): string => `LOOM_CASE_${randomUUID().replaceAll('-', '_')}`;

/** Rounds of 10 ms: what the kernel has not let go by then is not waited for. */
const rounds = 500;

/** Kills every process that has the variable, and what those started meanwhile; returns when they are gone. One that ends loses its environment first. */
export async function killMarked(mark: string): Promise<void> {
  const killed = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const found = await marked(mark);
    for (const pid of found) kill(pid);
    for (const pid of found) killed.add(pid);
    if (found.length === 0 && ![...killed].some(isAlive)) return;
    await sleep(10);
  }
}

/** Pids of the living: what is dead and not waited for has no environment any more. */
async function marked(mark: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => ((await environmentOf(pid)).includes(`${mark}=1`) ? pid : 0)),
  );
  return found.filter((pid) => pid > 0);
}

/** Empty for one that is gone, or another user's. */
const environmentOf = async (pid: number): Promise<readonly string[]> =>
  (await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')).split('\0');

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
