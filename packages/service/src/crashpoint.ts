/**
 * Named places at which a process can be made to die, for tests of what a crash leaves behind.
 * Owns which place is armed in this process: none, unless its environment named one (LOOM_CRASH_AT, read by `main`).
 */
interface Armed {
  readonly name: string;
  hitsLeft: number;
}

let armed: Armed | null = null;

/** `<service>.<point>` or `<service>.<point>:<n>`: the n-th hit from now on kills this process. Absent or empty arms nothing. */
export function armCrash(at: string | undefined): void {
  const [name = '', hit = '1'] = (at ?? '').split(':');
  armed = name === '' ? null : { name, hitsLeft: Number(hit) };
}

/** Whether this process is to die here; for what must only be done then. */
export const crashArmed = (owner: string, point: string): boolean =>
  armed !== null && armed.name === `${owner}.${point}`;

/** Kills this process by SIGKILL, as a power cut would, when this place is armed and its hit has come; else nothing. */
export function crashpoint(owner: string, point: string): void {
  if (armed === null || !crashArmed(owner, point)) return;
  armed.hitsLeft -= 1;
  if (armed.hitsLeft === 0) process.kill(process.pid, 'SIGKILL');
}
