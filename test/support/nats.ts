/** A real nats-server for one test file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, lastingPorts, startNats } from '@loom/cli';

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  readonly storeDir: string;
  /** kill -9; returns when it is gone. */
  kill(): Promise<void>;
}

interface Options {
  /** The `authorization { … }` block, as natsUsers() of @loom/log writes it; none: everybody on loopback may connect. */
  readonly users?: string;
  /** To start again on the store of a server that was killed: its `dir` and `port`. A given `dir` is kept on dispose. */
  readonly dir?: string;
  readonly port?: number;
  /** More lines of nats.conf. */
  readonly extra?: string;
}

/**
 * Starts nats-server with JetStream (`sync_interval: always`) on a free loopback port in a folder of its own; in a given one, on a port that it can come back to.
 * Dispose stops it by its pid and removes the folder. @throws when no nats-server is to be found
 */
export async function natsServer(options: Options = {}): Promise<NatsServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'loom-nats-')));
  const lasting = options.dir !== undefined && options.port === undefined ? await lastingPorts(1) : [];
  const [port = options.port] = lasting;
  const server = await startNats({
    ...options,
    ...(port === undefined ? {} : { port }),
    dir,
    binary: await findNatsServer(),
  });
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  return { ...server, dir, [Symbol.asyncDispose]: dispose };
}
