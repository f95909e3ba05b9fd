/**
 * Owns the nats-servers of one cluster: their addresses, folders and processes.
 * C1 every node keeps its name, ports and store through kills and restarts. C2 routes need a password that this process
 * alone knows, all listens on loopback. C3 started means: a leader of the meta group, all nodes in it, all up to date.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNats, type Nats } from './nats.ts';
import { lastingPorts } from './ports.ts';
import { isAlive } from './process.ts';

export interface ClusterOptions {
  readonly binary: string;
  /** A folder a node below it: `nats-1` … */
  readonly dir: string;
  /** The `authorization { … }` block; none: anybody on loopback may connect. */
  readonly users?: string;
  /** Servers; default 3. */
  readonly size?: number;
  readonly shielded?: boolean;
}

export interface Node {
  /** `nats-1` … */
  readonly name: string;
  readonly url: string;
  /** 0 while it is down. */
  readonly pid: number;
}

export interface NatsCluster extends AsyncDisposable {
  /** Addresses of all nodes, separated by commas. */
  readonly url: string;
  readonly nodes: readonly Node[];
  /** kill -9; returns when the process is gone. */
  kill(name: string): Promise<void>;
  /** Starts a node that is down; returns when it takes clients. */
  start(name: string): Promise<void>;
  /** Which node leads a stream; null while none does. */
  leaderOf(stream: string): Promise<string | null>;
  /** Until every node that runs has all that the others have. @throws after `seconds` (default 60) */
  settled(seconds?: number): Promise<void>;
}

interface Member {
  readonly name: string;
  readonly url: string;
  readonly monitor: string;
  readonly start: () => Promise<Nats>;
  running: Nats | null;
}

/** Starts all nodes and waits until they are one cluster (C3). @throws when one cannot start; those that did are stopped */
export async function startNatsCluster(options: ClusterOptions): Promise<NatsCluster> {
  await using owned = new AsyncDisposableStack();
  const members = await membersOf(options);
  owned.defer(async () => {
    await Promise.all(members.map(stop));
  });
  await Promise.all(members.map(start));
  await settled(members, 60);
  return clusterOf(members, owned.move());
}

async function start(member: Member): Promise<void> {
  if (member.running === null || !isAlive(member.running.pid)) member.running = await member.start();
}

async function stop({ running }: Member): Promise<void> {
  await running?.[Symbol.asyncDispose]();
}

async function kill({ running }: Member): Promise<void> {
  if (running === null || !isAlive(running.pid)) return;
  process.kill(running.pid, 'SIGKILL');
  while (isAlive(running.pid)) await sleep(5);
}

async function membersOf(options: ClusterOptions): Promise<Member[]> {
  const size = options.size ?? 3;
  const password = randomBytes(24).toString('base64url');
  const ports = await lastingPorts(3 * size);
  const places = Array.from({ length: size }, (_, i) => {
    const [client = 0, route = 0, monitor = 0] = ports.slice(3 * i);
    return { name: `nats-${i + 1}`, client, route, monitor };
  });
  const routes = places.map(({ route }) => `"nats://routes:${password}@127.0.0.1:${route}"`).join(', ');
  return places.map(({ name, client, route, monitor }) => {
    const extra = [
      `server_name: ${name}`,
      `http: "127.0.0.1:${monitor}"`,
      `cluster { name: loom, listen: "127.0.0.1:${route}", routes: [${routes}],`,
      `  authorization { user: routes, password: "${password}", timeout: 5 } }`,
    ].join('\n');
    const { dir, size: _, ...rest } = options;
    return {
      name,
      url: `nats://127.0.0.1:${client}`,
      monitor: `http://127.0.0.1:${monitor}`,
      start: () => startNats({ ...rest, dir: join(dir, name), port: client, extra }),
      running: null,
    };
  });
}

function clusterOf(members: readonly Member[], owned: AsyncDisposableStack): NatsCluster {
  const member = (name: string): Member => {
    const found = members.find((one) => one.name === name);
    if (!found) throw new RangeError(`no such node: ${name}`);
    return found;
  };
  return {
    url: members.map(({ url }) => url).join(','),
    get nodes() {
      return members.map(({ name, url, running }) => ({ name, url, pid: pidOf(running) }));
    },
    kill: (name) => kill(member(name)),
    start: (name) => start(member(name)),
    leaderOf: (stream) => leaderOf(members, stream),
    settled: (seconds = 60) => settled(members, seconds),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const pidOf = (running: Nats | null): number => (running !== null && isAlive(running.pid) ? running.pid : 0);
const alive = (members: readonly Member[]): Member[] => members.filter(({ running }) => pidOf(running) !== 0);

/** What a node's monitor says; null when it does not answer, or says that it is not well. */
async function ask<T>(member: Member, path: string): Promise<T | null> {
  try {
    const reply = await fetch(`${member.monitor}/${path}`, { signal: AbortSignal.timeout(2000) });
    return reply.ok ? ((await reply.json()) as T) : null;
  } catch {
    return null;
  }
}

interface Meta {
  readonly meta_cluster?: { readonly leader?: string; readonly cluster_size?: number };
}

interface Streams {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly cluster?: { readonly leader?: string } }[];
  }[];
}

async function leaderOf(members: readonly Member[], stream: string): Promise<string | null> {
  for (const one of alive(members)) {
    const said = await ask<Streams>(one, 'jsz?accounts=true&streams=true');
    const details = said?.account_details?.flatMap((account) => account.stream_detail ?? []) ?? [];
    const leader = details.find(({ name }) => name === stream)?.cluster?.leader;
    if (leader !== undefined && alive(members).some(({ name }) => name === leader)) return leader;
  }
  return null;
}

/** The meta group has a leader and its whole size, and the node has caught up in all its groups. */
async function isSettled(member: Member, size: number): Promise<boolean> {
  const meta = (await ask<Meta>(member, 'jsz'))?.meta_cluster;
  return meta?.leader !== undefined && meta.cluster_size === size && (await ask(member, 'healthz')) !== null;
}

async function settled(members: readonly Member[], seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
    const each = await Promise.all(alive(members).map((one) => isSettled(one, members.length)));
    if (each.length > 0 && each.every(Boolean)) return;
  }
  throw new Error(`the cluster has not settled after ${seconds} s`);
}
