/** The process that a container belongs to, as its label says. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in the host's own count; empty where the host does not tell. Tells a reused pid apart. */
  readonly started: string;
}

/** A container as far as the reaper judges it. */
export interface Found {
  readonly owner: Owner | null;
  readonly pool: string;
  readonly running: boolean;
  readonly ageMs: number;
}

export interface Here {
  readonly host: string;
  readonly pool: string;
  readonly isAlive: (owner: Owner) => boolean;
}

const foreignIdleMs = 60_000;
const foreignRunningMs = 30 * 60_000;

/**
 * Whether nobody will come back for it: its owner on this host is dead; or it is of this pool but another host's (whose
 * processes cannot be seen from here) and has ended a minute ago, or run for half an hour. A supervisor whose owner died ends by itself.
 */
export function isOrphan(found: Found, here: Here): boolean {
  if (found.owner === null) return found.pool === here.pool;
  if (found.owner.host === here.host) return !here.isAlive(found.owner);
  return found.pool === here.pool && found.ageMs > (found.running ? foreignRunningMs : foreignIdleMs);
}

export const ownerLabel = ({ host, pid, started }: Owner): string => `${pid} ${started} ${host}`;

/** Null for what is no owner's label. */
export function parseOwner(label: string | undefined): Owner | null {
  const [, pid, started, host] = /^(\d+) (\d*) (.+)$/.exec(label ?? '') ?? [];
  return pid === undefined || started === undefined || host === undefined ? null : { host, pid: Number(pid), started };
}
