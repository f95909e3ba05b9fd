/** Processes of many threads that stand still. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

async function stands(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const states = await Promise.all(threads.map((one) => readFile(`/proc/${pid}/task/${one}/stat`, 'utf8')));
  return states.every((state) => / T \d+ /.test(state));
}

/** Stops a process by SIGSTOP; resolves when none of its threads runs any more, which takes a moment on a busy machine. @throws after 5 s */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  for (const end = Date.now() + 5_000; !(await stands(pid)); await sleep(5))
    if (Date.now() > end) throw new Error(`${pid} does not stop`);
}
