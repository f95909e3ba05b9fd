/** nats-servers for a benchmark alone: one, or three as a cluster, fsynced or not. Each is stopped by its own pid. */
import { lastingPorts } from '@loom/cli';
import { natsUsers } from '@loom/log';
import { connect } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentOf } from './memory.ts';

export type Sync = 'always' | 'default';

export interface Servers extends AsyncDisposable {
  readonly url: string;
  readonly rootKeyFile: string;
  /** Resident memory of all of them, MiB. */
  memory(): Promise<number>;
}

interface Options {
  readonly binary: string;
  readonly sync: Sync;
  readonly size?: 1 | 3;
}

/** Passwords are the users' names: all is on loopback and gone in a minute. `bench` may do anything: the raw side. */
function users(): string {
  const names = ['gateway', 'orchestrator', 'agent-runner', 'operator', 'setup'];
  const loom = natsUsers(Object.fromEntries(names.map((name) => [name, name])));
  return loom.replace('users: [', 'users: [\n    { user: bench, password: bench },');
}

function configuration(node: Node, { sync }: Options, nodes: readonly Node[]): string {
  const routes = nodes.map(({ route }) => `"nats://127.0.0.1:${route}"`).join(', ');
  return [
    'host: "127.0.0.1"',
    `port: ${node.client}`,
    `server_name: ${node.name}`,
    `jetstream { store_dir: ${JSON.stringify(node.dir)}${sync === 'always' ? ', sync_interval: always' : ''} }`,
    nodes.length > 1 ? `cluster { name: bench, listen: "127.0.0.1:${node.route}", routes: [${routes}] }` : '',
    users(),
  ].join('\n');
}

interface Node {
  readonly name: string;
  readonly dir: string;
  readonly client: number;
  readonly route: number;
}

/** Starts them and waits until they store. @throws when they do not within half a minute */
export async function startServers(options: Options): Promise<Servers> {
  const home = await mkdtemp(join(tmpdir(), 'loom-bench-'));
  const nodes = await Promise.all(Array.from({ length: options.size ?? 1 }, (_, i) => nodeOf(home, `n${i + 1}`)));
  const children: ChildProcess[] = [];
  const atExit = (): void => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const dispose = async (): Promise<void> => {
    await Promise.all(children.map(stop));
    process.off('exit', atExit);
    await rm(home, { recursive: true, force: true });
  };
  try {
    for (const node of nodes) children.push(await startNode(options, node, nodes));
    const url = nodes.map(({ client }) => `nats://127.0.0.1:${client}`).join(',');
    await stores(url);
    const memory = async (): Promise<number> => {
      const each = await Promise.all(children.map(({ pid }) => residentOf(pid ?? 0)));
      return each.reduce((sum, one) => sum + one, 0);
    };
    return { url, rootKeyFile: join(home, 'root.key'), memory, [Symbol.asyncDispose]: dispose };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}

async function nodeOf(home: string, name: string): Promise<Node> {
  const dir = join(home, name);
  await mkdir(dir);
  const [client = 0, route = 0] = await lastingPorts(2);
  return { name, dir, client, route };
}

async function startNode(options: Options, node: Node, nodes: readonly Node[]): Promise<ChildProcess> {
  const file = join(node.dir, 'nats.conf');
  await writeFile(file, configuration(node, options, nodes), { mode: 0o600 });
  const child = spawn(options.binary, ['-c', file], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

/** Until the JetStream of all of them answers. */
async function stores(url: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await using own = new AsyncDisposableStack();
      const connection = await connect({ servers: url.split(','), user: 'bench', pass: 'bench' });
      own.defer(() => connection.close());
      const reply = await connection.request('$JS.API.INFO', '', { timeout: 1000 });
      if (reply.json<{ error?: unknown }>().error === undefined) return;
    } catch (cause) {
      if (tries > 150) throw cause;
    }
    await sleep(200);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(timer);
}
