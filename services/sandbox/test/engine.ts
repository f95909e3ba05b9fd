/** A pool and a way to run code in it, for the integration tests. */
import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { sandboxImage } from '@loom/test';
import type { WorkspaceFile } from '../src/domain/call.ts';
import { limits } from '../src/domain/limits.ts';
import type { Limits } from '../src/domain/limits.ts';
import { resultText, verdict } from '../src/domain/result.ts';
import type { Run, Verdict } from '../src/domain/result.ts';
import { connectDocker } from '../src/engine/docker.ts';
import { openPool } from '../src/engine/pool.ts';
import { labels } from '../src/engine/reaper.ts';
import { runCode } from '../src/engine/run.ts';

export interface Ran extends Run, Verdict {
  readonly text: string;
  readonly out: string;
}

interface Options {
  readonly language?: 'python' | 'node';
  readonly inputs?: readonly WorkspaceFile[];
  readonly limits?: Partial<Limits>;
  readonly kill?: AbortSignal;
}

export const socket = process.env['LOOM_DOCKER_SOCKET'] ?? '/var/run/docker.sock';

/** Runs code in fresh containers of a pool of its own; `left` are the containers that it has not removed. */
export async function engine() {
  const docker = connectDocker(socket);
  const pool = `test-${randomBytes(4).toString('hex')}`;
  const settings = { socket, image: await sandboxImage(), runtime: '', pool, limits };
  const containers = openPool(docker, settings, 0, labels(pool));
  const run = async (code: string, options: Options = {}): Promise<Ran> => {
    const allowed = { ...limits, ...options.limits };
    const call = { language: options.language ?? 'python', code, files: null } as const;
    const kill = options.kill ?? new AbortController().signal;
    const ran = await runCode(call, options.inputs ?? [], { pool: containers, limits: allowed, kill });
    const text = resultText(ran, allowed);
    return { ...ran, ...verdict(ran, allowed), text, out: Buffer.from(ran.stdout).toString() };
  };
  return {
    docker,
    settings,
    run,
    left: () => left(docker, pool),
    [Symbol.asyncDispose]: async () => containers[Symbol.asyncDispose](),
  };
}

/** Ids of the containers of a pool, running or not. */
export async function left(docker: Docker, pool: string): Promise<readonly string[]> {
  const found = await docker.listContainers({ all: true, filters: { label: [`loom.pool=${pool}`] } });
  return found.map(({ Id }) => Id);
}

export const file = (path: string, content: string): WorkspaceFile => ({ path, content: Buffer.from(content) });
