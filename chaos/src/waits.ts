/** How long the processes of a rig waited for a processor: on a machine that has other things to do a job stands still without being stuck. */
import { readFile } from 'node:fs/promises';

interface Look {
  /** Unix ms. */
  readonly at: number;
  /** Ms that all of them together had waited by then. */
  readonly waited: number;
}

export class Waits {
  readonly #pids: () => readonly number[];
  readonly #known = new Map<number, number>();
  readonly #looks: Look[] = [];

  /** `pids`: of the processes that run now. */
  constructor(pids: () => readonly number[]) {
    this.#pids = pids;
  }

  get #waited(): number {
    return this.#looks.at(-1)?.waited ?? 0;
  }

  async look(): Promise<void> {
    let waited = this.#waited;
    for (const pid of this.#pids()) {
      const now = await waitOf(pid);
      waited += Math.max(0, now - (this.#known.get(pid) ?? 0));
      this.#known.set(pid, now);
    }
    this.#looks.push({ at: Date.now(), waited });
  }

  /** Ms from a moment (Unix ms), or from the first look, to now in which surely none of them had to wait, as of the last look: several may wait at once; a third of all at least, since some wait for nothing that matters. */
  since(moment: number): number {
    const before = (this.#looks.findLast(({ at }) => at <= moment) ?? this.#looks[0])?.waited ?? 0;
    const all = Date.now() - moment;
    return Math.max(all / 3, all - (this.#waited - before));
  }
}

/** Of a process's first thread since it began, ms; 0 where the system does not tell. */
async function waitOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) / 1_000_000;
}
