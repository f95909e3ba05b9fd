/** A stack on which two tenants had jobs done by models that cost something, and the CLI on it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { clientOf, stack, type Client, type Stack } from '@loom/test';
import type { Test as Suite } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../emulators/anthropic.ts';
import { script } from './script.ts';

export const secret = 'MARMALADE-QUOTA-7';

export interface World extends AsyncDisposable {
  readonly system: Stack;
  /** Removed with the world. */
  readonly folder: string;
  readonly clients: Readonly<Record<'acme' | 'zeta', Client>>;
  /** Ids of the jobs that are done, by tenant. */
  readonly jobs: Readonly<Record<'acme' | 'zeta', readonly string[]>>;
}

export type Test = Suite<{ world: World }>;

export interface Ran {
  readonly exit: number;
  readonly out: Buffer;
  readonly err: string;
  /** JSON lines of stdout. */
  lines(): readonly Record<string, unknown>[];
}

export async function world(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const model = opening.use(await anthropicEmulator({ script }));
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test' };
  const system = opening.use(await stack({ sandbox: false, env }));
  const folder = await mkdtemp(join(tmpdir(), 'loom-analysts-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const clients = {
    acme: clientOf(system, { person: 'ann', tenant: 'acme' }),
    zeta: clientOf(system, { person: 'zoe', tenant: 'zeta' }),
  };
  const jobs = {
    acme: await Promise.all(['alpha', 'alpha', 'beta'].map((engagement) => done(clients.acme, engagement))),
    zeta: [await done(clients.zeta, 'default')],
  };
  const owned = opening.move();
  return { system, folder, clients, jobs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A job from its brief to its end. */
export async function done(client: Client, engagement: string): Promise<string> {
  const body = { brief: `Look at ${secret}.`, engagement, budget_micros: 50_000_000 };
  const { id } = await client.gateway.json<{ id: string }>('POST', '/v1/jobs', body);
  assert.is((await client.ended(id)).status, 'completed');
  return id;
}

export const main = new URL('../../cli/src/main.ts', import.meta.url).pathname;

export const environmentOf = ({ system }: World): NodeJS.ProcessEnv => ({ ...process.env, LOOM_HOME: system.home });

/** `./loom` on the stack, until it ends. */
export async function loom(world: World, args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args], { env: environmentOf(world) });
  const [[exit], out, err] = await Promise.all([once(child, 'exit'), buffer(child.stdout), text(child.stderr)]);
  const lines = (): Record<string, unknown>[] =>
    String(out)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { exit: Number(exit), out, err, lines };
}

/** Parts of an export. */
export const filesOf = async (folder: string): Promise<string[]> =>
  (await Array.fromAsync(glob('day=*/tenant=*/*', { cwd: folder }))).toSorted();
