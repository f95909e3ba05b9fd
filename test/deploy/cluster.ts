/**
 * What a cluster would be made of, as far as one machine has it: NATS with the Helm values' own users, Postgres as a hosted one is (its
 * administrator is no superuser), and programs that are given what their manifest gives them.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastingPorts, startPostgres } from '@loom/cli';
import { natsServer } from '@loom/test';
import type { NatsServer } from '@loom/test';
import pg from 'pg';
import { parse } from 'yaml';
import { ofKind, root } from './manifests.ts';
import type { Manifest } from './manifests.ts';
import type { Secrets } from './secrets.ts';

interface Values {
  readonly container: {
    readonly env: Readonly<Record<string, { readonly valueFrom: { readonly secretKeyRef: { readonly key: string } } }>>;
  };
  readonly config: { readonly merge: { readonly authorization: object } };
}

/** nats-server with users as the chart writes them: variables without quotes, values from the Secret of its namespace. */
export async function clusterNats(made: Secrets): Promise<NatsServer & { readonly monitor: string }> {
  const text = await readFile(join(root, 'deploy/k8s/nats/users.yaml'), 'utf8');
  const { container, config } = parse(text) as Values;
  for (const [name, { valueFrom }] of Object.entries(container.env))
    process.env[name] = made.kubernetes['loom-nats/loom-nats']?.[valueFrom.secretKeyRef.key]?.toString();
  const block = JSON.stringify(config.merge.authorization).replaceAll(/"<< (\$\w+) >>"/g, '$1');
  const [port = 0] = await lastingPorts(1);
  const server = await natsServer({ users: `authorization ${block}`, extra: `http: "127.0.0.1:${port}"` });
  return { ...server, monitor: `http://127.0.0.1:${port}` };
}

interface Hosted extends AsyncDisposable {
  /** As its administrator, who may make roles and databases and is no superuser. */
  readonly url: string;
}

export async function hostedPostgres(password: string): Promise<Hosted> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-hosted-'));
  const server = await startPostgres({ dir, password: 'superuser', durable: false });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`create role admin login createrole createdb password '${password}'`);
  await client.query('create database loom owner admin');
  await client.end();
  const url = Object.assign(new URL(server.url), { username: 'admin', password, pathname: '/loom' });
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export type Env = Readonly<Record<string, string>>;

/** The variables of a manifest's one container: its ConfigMaps, then its own, Secrets read. */
export function environmentOf(all: readonly Manifest[], load: Manifest, made: Secrets): Env {
  const { env = [], envFrom = [] } = load.spec.template.spec.containers[0]!;
  const { namespace = '' } = load.metadata;
  const maps = envFrom.map(({ configMapRef }) => configMapRef?.name);
  const shared = ofKind(all, 'ConfigMap')
    .filter(({ metadata }) => metadata.namespace === namespace && maps.includes(metadata.name))
    .map(({ data }) => data ?? {});
  const own = env.flatMap(({ name, value, valueFrom }): [string, string][] => {
    const from = valueFrom?.secretKeyRef;
    const read = from === undefined ? value : made.kubernetes[`${namespace}/${from.name}`]?.[from.key]?.toString();
    if (read === undefined && from?.optional !== true) throw new Error(`${name} has no value`);
    return read === undefined ? [] : [[name, read]];
  });
  return Object.assign({}, ...shared, Object.fromEntries(own)) as Env;
}

const entry = join(root, 'deploy/images/run');

interface Ran {
  readonly code: number | null;
  readonly said: string;
}

/** Runs the image's entry to its end. */
export async function runToEnd(args: readonly string[], env: Env = {}): Promise<Ran> {
  const child = spawn(entry, args, { env: { PATH: process.env['PATH'], ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

export interface Program extends AsyncDisposable {
  /** Asked for on its health port. @throws when nothing answers */
  get(path: string): Promise<Response>;
}

/** Starts a service by the image's entry; ready when it says so. SIGTERM on dispose. @throws with its last words when it ends */
export async function startProgram(service: string, env: Env): Promise<Program> {
  const child = spawn(entry, [service], { env: { PATH: process.env['PATH'], ...env } });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  await spoken(child, service);
  return {
    get: (path) => fetch(`http://127.0.0.1:${env['LOOM_HEALTH_PORT']}${path}`),
    [Symbol.asyncDispose]: stop,
  };
}

async function spoken(child: ChildProcess, service: string): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ready = once(child.stdout!, 'data').then(() => null);
  const ended = once(child, 'exit').then(([code]) => `${service} ended with ${String(code)}: ${errors}`);
  const fault = await Promise.race([ready, ended]);
  if (fault !== null) throw new Error(fault);
}
