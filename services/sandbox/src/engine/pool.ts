/**
 * Owns the started containers: those that wait for a call, and until they are destroyed those that were taken.
 *
 * P1. A container serves one call: what was taken never comes back.
 * P2. At most `size` wait; a taken one is replaced at once, unless the pool is closed.
 * P3. A waiting one whose stream ended (engine restarted, container gone) is removed and never handed out.
 * P4. After disposal nothing of the pool's own is left in the engine, as far as the engine answers: what is being made then, for a call that
 *     has given up, is waited for.
 */
import type Docker from 'dockerode';
import { openWorkspace } from './docker.ts';
import type { DockerSettings, Workspace } from './docker.ts';

export interface Pool extends AsyncDisposable {
  /** A waiting container, else a fresh one (`warm: false`). @throws SandboxUnavailable */
  take(): Promise<{ readonly workspace: Workspace; readonly warm: boolean }>;
  /** Ids of all containers that are in use or wait: whatever else carries this process's label is a left-over. */
  alive(): ReadonlySet<string>;
  /** Containers that wait. */
  waiting(): number;
  /** Resolves when no replacement is under way: for tests and for a start that wants its first container. */
  settled(): Promise<void>;
}

export function openPool(docker: Docker, settings: DockerSettings, size: number, labels: Record<string, string>): Pool {
  return new WarmPool((warm) => openWorkspace(docker, settings, warm, labels), size);
}

class WarmPool implements Pool {
  private readonly idle: Workspace[] = [];
  private readonly filling = new Set<Promise<void>>();
  private readonly opening = new Set<Promise<Workspace>>();
  private readonly owned = new Map<string, Workspace>();
  private readonly make: (warm: boolean) => Promise<Workspace>;
  private readonly size: number;
  private closed = false;

  constructor(make: (warm: boolean) => Promise<Workspace>, size: number) {
    this.make = make;
    this.size = size;
    this.fill();
  }

  alive(): ReadonlySet<string> {
    return new Set(this.owned.keys());
  }

  waiting(): number {
    return this.idle.length;
  }

  async settled(): Promise<void> {
    await Promise.all(this.filling);
  }

  async take(): Promise<{ readonly workspace: Workspace; readonly warm: boolean }> {
    const workspace = this.idle.shift();
    workspace?.socket.pause();
    this.fill();
    return workspace === undefined ? { workspace: await this.open(false), warm: false } : { workspace, warm: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    await Promise.allSettled([...this.filling, ...this.opening]);
    this.idle.length = 0;
    await Promise.all([...this.owned.values()].map((workspace) => workspace.destroy()));
  }

  private open(warm: boolean): Promise<Workspace> {
    const work = this.started(warm).finally(() => this.opening.delete(work));
    this.opening.add(work);
    return work;
  }

  private async started(warm: boolean): Promise<Workspace> {
    const { id, socket, destroy } = await this.make(warm);
    const gone = async (): Promise<void> => {
      await destroy();
      this.owned.delete(id);
    };
    const workspace = { id, socket, destroy: gone };
    this.owned.set(id, workspace);
    return workspace;
  }

  private fill(): void {
    for (let short = this.size - this.idle.length - this.filling.size; short > 0 && !this.closed; short--) {
      const work = this.add().finally(() => this.filling.delete(work));
      this.filling.add(work);
    }
  }

  private async add(): Promise<void> {
    try {
      const workspace = await this.open(true);
      if (this.closed) await workspace.destroy();
      else this.keep(workspace);
    } catch {
      // The next call makes its own container, and it is the call that can say what is missing.
    }
  }

  private keep(workspace: Workspace): void {
    this.idle.push(workspace);
    const drop = (): void => {
      const at = this.idle.indexOf(workspace);
      if (at === -1) return;
      this.idle.splice(at, 1);
      void workspace.destroy();
    };
    workspace.socket.once('end', drop).once('close', drop);
    workspace.socket.resume(); // a waiting supervisor says nothing; reading is what shows that the stream ended
  }
}
