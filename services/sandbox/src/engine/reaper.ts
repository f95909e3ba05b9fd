/** Removes containers that nobody will come back for: those of dead processes, and own ones that this process has forgotten. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { inTime } from './docker.ts';
import { isOrphan, ownerLabel, parseOwner } from '../domain/owner.ts';
import type { Owner } from '../domain/owner.ts';

const label = { sandbox: 'loom.sandbox', pool: 'loom.pool', owner: 'loom.owner' } as const;
/** A container of this process that its pool does not know: being made, unless it is older than this. */
const makingMs = 120_000;

/** Labels of every container that this process makes. */
export function labels(pool: string): Record<string, string> {
  return { [label.sandbox]: '1', [label.pool]: pool, [label.owner]: ownerLabel(self()) };
}

/** Removes orphans; `alive` are this process's own. Returns how many went. Rejects when the engine does not answer. */
export async function reap(docker: Docker, pool: string, alive: ReadonlySet<string>): Promise<number> {
  const listed = docker.listContainers({ all: true, filters: { label: [`${label.sandbox}=1`] } });
  const found = await inTime(listed, 10_000);
  const gone = found.filter((info) => isLeft(info, pool, alive));
  const remove = ({ Id }: Docker.ContainerInfo): Promise<void> =>
    docker.getContainer(Id).remove({ force: true, v: true });
  await Promise.allSettled(gone.map(remove)); // a rejection: someone else removes it
  return gone.length;
}

function isLeft(info: Docker.ContainerInfo, pool: string, alive: ReadonlySet<string>): boolean {
  const owner = parseOwner(info.Labels[label.owner]);
  const ageMs = Date.now() - info.Created * 1000;
  const found = { owner, pool: info.Labels[label.pool] ?? '', running: info.State === 'running', ageMs };
  const own = owner !== null && ownerLabel(owner) === ownerLabel(self());
  if (own) return found.pool === pool && !alive.has(info.Id) && ageMs > makingMs;
  return isOrphan(found, { host: hostname(), pool, isAlive });
}

const self = (): Owner => ({ host: hostname(), pid: process.pid, started: startOf(process.pid) });

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === started;
}

/** Field 22 of /proc/<pid>/stat, clock ticks since boot; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
