/** Owns the nats-servers of one stack: one, or a cluster. V1 each comes back at its old address on its old store. */
import { join } from 'node:path';
import { startNatsCluster, type NatsCluster } from './nats-cluster.ts';
import { startNats } from './nats.ts';
import { lastingPorts } from './ports.ts';

export interface Servers extends AsyncDisposable {
  /** All addresses, separated by commas. */
  readonly url: string;
  /** Null where there is one server alone. */
  readonly cluster: NatsCluster | null;
  pids(): Readonly<Record<string, number>>;
  /** kill -9; returns when the process is gone. */
  kill(name: string): Promise<void>;
  restart(name: string): Promise<void>;
}

interface Options {
  readonly binary: string;
  /** For all that the servers keep. */
  readonly dir: string;
  readonly users: string;
  readonly shielded: boolean;
}

/** One server, named `nats-server`. */
export async function startServer(options: Options): Promise<Servers> {
  const [port = 0] = await lastingPorts(1);
  const start = () => startNats({ ...options, dir: join(options.dir, 'nats'), port });
  let running = await start();
  return {
    url: running.url,
    cluster: null,
    pids: () => ({ 'nats-server': running.pid }),
    kill: () => running.kill(),
    restart: async () => void (running = await start()),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** `size` servers, named `nats-1` and so on. */
export async function startServers(options: Options, size: number): Promise<Servers> {
  const cluster = await startNatsCluster({ ...options, size });
  return {
    url: cluster.url,
    cluster,
    pids: () => Object.fromEntries(cluster.nodes.map(({ name, pid }) => [name, pid])),
    kill: (name) => cluster.kill(name),
    restart: (name) => cluster.start(name),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
