/** The nats-server program: which one is used, and where it comes from. */
import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { binDir } from '../root.ts';

const run = promisify(execFile);

/** Atomic batch and scheduling rules Loom stands on need this. */
export const natsFloor = '2.14.3';

/** -1, 0 or 1 by numbers, part by part. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** `2.15.1`, or null when the file is not there or is no nats-server. */
export async function natsVersion(binary: string): Promise<string | null> {
  try {
    const { stdout } = await run(binary, ['--version']);
    return /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** LOOM_NATS_SERVER, `.loom/bin`, then PATH. */
function candidates(): string[] {
  const path = (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, 'nats-server'));
  return [process.env['LOOM_NATS_SERVER'] ?? '', join(binDir, 'nats-server'), ...path].filter((file) => file !== '');
}

/** The first nats-server at or above the floor. @throws when there is none */
export async function findNatsServer(): Promise<string> {
  for (const file of candidates()) {
    const version = await natsVersion(file);
    if (version !== null && compareVersions(version, natsFloor) >= 0) return file;
  }
  throw new Error(`no nats-server ${natsFloor} or newer: run ./loom doctor --fix`);
}
