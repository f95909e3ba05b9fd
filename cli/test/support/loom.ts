/** The command line as a person types it, on the data folder of a running stack. */
import type { Stack } from '@loom/test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Ran<L> {
  readonly exit: number;
  readonly lines: readonly L[];
  readonly err: string;
}

/** Runs `./loom … --json`; each line of stdout is one of L. */
export async function loom<L>({ home }: Stack, ...args: readonly string[]): Promise<Ran<L>> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, ...args, '--json'], { env: { ...process.env, LOOM_HOME: home } });
  const [[exit], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  const lines = out.split('\n').filter(Boolean);
  return { exit: Number(exit), lines: lines.map((line) => JSON.parse(line) as L), err };
}
