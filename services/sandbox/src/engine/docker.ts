import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { containerOptions } from '../domain/container.ts';
import type { Limits } from '../domain/limits.ts';

const supervisor = readFileSync(new URL('../supervisor.py', import.meta.url), 'utf8');

export interface DockerSettings {
  readonly socket: string;
  readonly image: string;
  /** Docker runtime, e.g. `runsc`; empty for the engine's default. */
  readonly runtime: string;
  /** Pool whose containers this process may remove when their owner is gone. */
  readonly pool: string;
  readonly limits: Limits;
}

/** A started container whose supervisor waits for its one request. */
export interface Workspace {
  readonly id: string;
  readonly socket: Duplex;
  /** Kills and removes the container; resolves when it is gone, or after 10 s (the reaper then finds it). Never rejects. */
  readonly destroy: () => Promise<void>;
}

/** The engine gives no container. The message is for the model and the operator: what is missing and what to do. */
export class SandboxUnavailable extends Error {
  override readonly name = 'SandboxUnavailable';
}

export const connectDocker = (socket: string): Docker => new Docker({ socketPath: socket });

/** Longest that the engine may take to start a container; a call's own clock is stricter. */
const startMs = 30_000;

/** @throws SandboxUnavailable */
export async function openWorkspace(
  docker: Docker,
  settings: DockerSettings,
  warm: boolean,
  labels: Record<string, string>,
): Promise<Workspace> {
  const { image, runtime, limits } = settings;
  const options = containerOptions({ image, supervisor, warm, runtime, labels, limits });
  const starting = docker.createContainer(options).then(started);
  try {
    return await inTime(starting, startMs);
  } catch (cause) {
    starting.then((late) => void late.destroy()).catch(() => {});
    throw unavailable(cause, settings);
  }
}

async function started(container: Docker.Container): Promise<Workspace> {
  const destroy = once(() => removed(container));
  try {
    const attached = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
    attached.on('error', () => {}); // a broken stream also ends or closes, and that is what its readers wait for
    await container.start();
    return { id: container.id, socket: attached as Duplex, destroy };
  } catch (cause) {
    await destroy();
    throw cause;
  }
}

/** Rejects after `ms` when the engine has not answered by then. */
export async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { ref: false, signal: timer.signal }).then(() => {
    throw new Error(`the container engine did not answer within ${ms} ms`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

async function removed(container: Docker.Container): Promise<void> {
  const gone = container.remove({ force: true, v: true }).catch(() => {}); // 404, 409: someone else removes it
  await Promise.race([gone, delay(10_000, undefined, { ref: false })]);
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= act());
}

function unavailable(cause: unknown, { socket, image }: DockerSettings): SandboxUnavailable {
  const { statusCode, code } = cause as { readonly statusCode?: number; readonly code?: string };
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES') {
    return new SandboxUnavailable(
      `No Docker engine answers at ${socket} (${code}), so code cannot be run. Start Docker, or see ./loom doctor.`,
      { cause },
    );
  }
  if (statusCode === 404) {
    return new SandboxUnavailable(
      `The sandbox image ${image} is not there, so code cannot be run. ./loom doctor says how to get it.`,
      { cause },
    );
  }
  return new SandboxUnavailable(
    'The Docker engine gave no container, so code cannot be run. See ./loom doctor and the log of the sandbox service.',
    { cause },
  );
}
