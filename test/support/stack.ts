/** A whole Loom for one test file, in a data folder of its own. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineSocket, findNatsServer, startStack, type Stack, type StackOptions } from '@loom/cli';
import { sandboxImage } from './image.ts';

export type { Stack, StackOptions };

interface Options extends Pick<StackOptions, 'replicas' | 'cluster' | 'ackWait' | 'preload' | 'between'> {
  /** One process a service; then `kill` and `restart` work. */
  readonly split?: boolean;
  /** false: no Docker. Default true; the engine must be up and have the image. */
  readonly sandbox?: boolean;
  /** 32 bytes instead of a root key of the stack's own. */
  readonly rootKey?: Uint8Array;
  /** More of the services' environment: addresses of emulators, limits. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a stack; dispose stops it and removes its folder. */
export async function stack({ env: more, sandbox: wanted, rootKey, ...options }: Options = {}): Promise<Stack> {
  const home = await mkdtemp(join(tmpdir(), 'loom-stack-'));
  await chmod(home, 0o711); // Postgres runs as another user under root
  if (rootKey !== undefined) await writeRootKey(home, rootKey);
  const sandbox = wanted === false ? null : { socket: engineSocket(), image: await sandboxImage() };
  const env = { PATH: process.env['PATH'], LOOM_LOG_LEVEL: process.env['LOOM_LOG_LEVEL'], ...more };
  const running = await startStack({
    ...options,
    home,
    sandbox,
    env,
    test: true,
    nats: await findNatsServer(),
  });
  const dispose = async (): Promise<void> => {
    await running[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  };
  return { ...running, [Symbol.asyncDispose]: dispose };
}

async function writeRootKey(home: string, key: Uint8Array): Promise<void> {
  await mkdir(join(home, 'keys'), { mode: 0o700 });
  await writeFile(join(home, 'keys', 'root.key'), key, { mode: 0o600 });
}
