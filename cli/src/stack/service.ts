/** One running service of a stack: in this process, or a child of its own. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeEnvironment, nodeFlags, type Running } from '@loom/service';
import { root } from '../root.ts';
import type { Env } from './environment.ts';
import { launch, stop, until } from './process.ts';

export interface Service {
  /** Of its process; ours when it runs here. */
  readonly pid: number;
  stop(): Promise<void>;
  /** kill -9; returns when it is gone. @throws when it runs in this process */
  kill(): Promise<void>;
  /** When its process has ended, however that came; never for one that runs here. */
  readonly ended: Promise<void>;
}

const fileOf = (name: string): string => join(root, 'services', name, 'src', 'main.ts');

/** Runs a service beside the others in this process. */
export async function startHere(name: string, env: Env): Promise<Service> {
  const module = (await import(pathToFileURL(fileOf(name)).href)) as { start(env: Env): Promise<Running> };
  const running = await module.start(env).catch((cause: unknown) => {
    throw new Error(`${name} could not start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const kill = (): Promise<void> =>
    Promise.reject(new Error(`${name} runs in this process: only a split stack can kill it`));
  const ended = new Promise<void>(() => undefined);
  return { pid: process.pid, stop: () => running.stop(), kill, ended };
}

interface Apart {
  /** Where its log lines go. */
  readonly log: string;
  readonly shielded: boolean;
  /** A module that is loaded before the service's own. */
  readonly preload?: string;
}

/** Runs a service as a process of its own. Ready when it says so on stdout. */
export async function startApart(name: string, env: Env, { log, shielded, preload }: Apart): Promise<Service> {
  const stderr = openSync(log, 'a');
  const before = preload === undefined ? [] : ['--import', preload];
  const child = await launch(process.execPath, [...nodeFlags, ...before, fileOf(name)], {
    env: { ...nodeEnvironment, ...env },
    detached: shielded,
    stdio: ['ignore', 'pipe', stderr],
  });
  closeSync(stderr);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    if (said.length < 4096) said += chunk.toString();
  });
  const ready = async (): Promise<true | null> => (said.includes('\n') ? true : null);
  await until(child, ready, () => `see ${log}`);
  const pid = child.pid ?? 0;
  return { pid, ended, stop: () => stop(child, 'SIGTERM', 30_000), kill: () => stop(child, 'SIGKILL') };
}
