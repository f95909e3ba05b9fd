/**
 * Owns a whole Loom on one machine: nats-server, Postgres, and every service, in this process or one process each.
 * K1 what was started is stopped, in reverse order, also when the start itself fails. K2 the secrets of a data folder
 * are made once. K3 set-up (streams, roles, migrations) is run each time and changes nothing the second time.
 */
import { mkdir } from 'node:fs/promises';
import type { Output } from '../output.ts';
import {
  environmentOf,
  replicaNames,
  serviceOf,
  services,
  type Env,
  type Facts,
  type Replicas,
} from './environment.ts';
import { layout } from './files.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { authorizedParty, issuer, issuerPublicKey, mintToken, type TokenRequest } from './issuer.ts';
import type { NatsCluster } from './nats-cluster.ts';
import { lastingPorts } from './ports.ts';
import { setUpKeys } from './setup.ts';
import { clearState, takeOver, writeState, type StackState } from './state.ts';
import { isStore, startStores, type Stores } from './stores.ts';

export interface StackOptions {
  /** Data folder. */
  readonly home: string;
  /** Path of nats-server. */
  readonly nats: string;
  /** null: none; `run_code` then tells the agents so. */
  readonly sandbox: { readonly socket: string; readonly image: string } | null;
  /** One process a service. */
  readonly split?: boolean;
  /** Of the gateway; 0 or absent: a free one. */
  readonly port?: number;
  /** The caller's environment, handed on to the services as `environment.ts` says. Default: none. */
  readonly env?: Env;
  readonly out?: Output;
  /** For a test, which is itself stopped as a process group: Postgres syncs nothing, children stay in our group. */
  readonly test?: boolean;
  /** Replicas by service, 0 for none; one of each by default. More than one wants `split`. */
  readonly replicas?: Replicas;
  /** So many nats-servers with streams of three replicas, and another default number of streams; absent: one server. */
  readonly cluster?: number;
  /** Until an unacked message is delivered again, ms; default 60,000. */
  readonly ackWait?: number;
  /** A module that each service's process loads first; split only. */
  readonly preload?: string;
  /** Where services find the log instead, when something is put between: its address, given the server's own. */
  readonly between?: (natsUrl: string) => Promise<string>;
}

export interface Stack extends AsyncDisposable {
  readonly url: string;
  readonly natsUrl: string;
  /** As superuser, database `postgres`. */
  readonly postgresUrl: string;
  readonly home: string;
  state(): StackState;
  token(request?: TokenRequest): Promise<string>;
  /** Addresses of all gateways. */
  readonly urls: readonly string[];
  /** Null where there is one nats-server alone. */
  readonly cluster: NatsCluster | null;
  /** The environment a service is started with; also of `operator` and `setup`, who are no services. */
  environment(service: string): Env;
  /** kill -9, returns when the process is gone: of a service (split only), or `nats-server` (`nats-1` … in a cluster) or `postgres`. */
  kill(name: string): Promise<void>;
  /** Split only: SIGTERM, returns when it has drained. */
  stop(name: string): Promise<void>;
  /** Starts again what was killed or stopped, or ended by itself; `env` is for a service. */
  restart(name: string, env?: Env): Promise<void>;
  /** Split only: resolves when the process that a service runs in now has ended. */
  ended(name: string): Promise<void>;
}

const natsUserNames = [...Object.keys(services), 'operator', 'setup'];

const streamsOf = ({ env, cluster }: Pick<StackOptions, 'env' | 'cluster'>): number =>
  Number(env?.['LOOM_STREAMS'] ?? (cluster === undefined ? 4 : 16));

async function factsOf(options: StackOptions, { natsUrl, postgresUrl, secrets }: Stores): Promise<Facts> {
  const { home } = options;
  const names = replicaNames(options.replicas ?? {});
  const ports = await lastingPorts(names.length);
  const gateways = names.filter((name) => serviceOf(name) === 'gateway');
  const gatewayPorts = await Promise.all(
    gateways.map(async (_, at) => (at === 0 && options.port) || ((await lastingPorts(1))[0] ?? 0)),
  );
  return {
    natsUrl: (await options.between?.(natsUrl)) ?? natsUrl,
    natsPasswords: secrets.nats,
    postgresUrl,
    postgresPasswords: secrets.postgres,
    rootKeyFile: layout(home).rootKey,
    poolKeyFile: layout(home).poolKey,
    poolPublicKey: await setUpKeys(home),
    issuer,
    authorizedParty,
    issuerPublicKey: await issuerPublicKey(home),
    evalsToken: await mintToken(home, { person: 'evals', tenant: 'evals', seconds: 365 * 86_400 }),
    gatewayPorts: Object.fromEntries(gateways.map((name, at) => [name, gatewayPorts[at] ?? 0])),
    healthPorts: Object.fromEntries(names.map((name, at) => [name, ports[at] ?? 0])),
    sandbox: options.sandbox,
  };
}

function fleetOf(options: StackOptions, facts: Facts): Promise<Fleet> {
  const task = options.out?.task('services');
  const replicas = options.replicas ?? {};
  const total = replicaNames(replicas).length;
  let count = 0;
  const starting = startFleet({
    split: options.split ?? false,
    shielded: !options.test,
    logs: layout(options.home).logs,
    replicas,
    ...(options.preload === undefined ? {} : { preload: options.preload }),
    environment: (replica) => environmentOf(replica, facts, options.env ?? {}),
    started: (name) => task?.at(++count / total, name),
  });
  starting.then(
    () => task?.done(options.split ? `${total}, one process each` : `${total} in one process`),
    () => task?.failed(),
  );
  return starting;
}

interface Whole {
  readonly options: StackOptions;
  readonly stores: Stores;
  readonly facts: Facts;
  readonly fleet: Fleet;
  readonly owned: AsyncDisposableStack;
}

function stackOf({ options, stores, facts, fleet, owned }: Whole): Stack {
  const urls = Object.values(facts.gatewayPorts).map((port) => `http://127.0.0.1:${port}`);
  const [url = ''] = urls;
  const startedAt = new Date().toISOString();
  const state = (): StackState => ({
    url,
    natsUrl: stores.natsUrl,
    postgresPort: Number(new URL(facts.postgresUrl).port),
    streams: streamsOf(options),
    split: options.split ?? false,
    startedAt,
    pid: process.pid,
    pids: { ...stores.pids(), ...fleet.pids() },
    healthPorts: facts.healthPorts,
  });
  return {
    url,
    urls,
    natsUrl: stores.natsUrl,
    postgresUrl: facts.postgresUrl,
    home: options.home,
    cluster: stores.cluster,
    state,
    token: (request) => mintToken(options.home, request),
    environment: (service) => environmentOf(service, facts, options.env ?? {}),
    kill: (name) => (isStore(name) ? stores.kill(name) : fleet.kill(name)),
    stop: (name) => fleet.stop(name),
    restart: async (name, env) => {
      await (isStore(name) ? stores.restart(name) : fleet.restart(name, env));
      await writeState(options.home, state());
    },
    ended: (name) => fleet.ended(name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts a stack and waits until its gateway answers. @throws Failure 1 when one is up on this folder */
export async function startStack(given: StackOptions): Promise<Stack> {
  const options = { ...given, env: { ...given.env, LOOM_STREAMS: String(streamsOf(given)) } };
  await mkdir(layout(options.home).logs, { recursive: true });
  await takeOver(options.home);
  await using owned = new AsyncDisposableStack();
  owned.defer(() => clearState(options.home));
  const task = options.out?.task('log and database');
  const stores = await startStores(storesOf(options), owned);
  const facts = await factsOf(options, stores);
  task?.done();
  const fleet = owned.use(await fleetOf(options, facts));
  const stack = stackOf({ options, stores, facts, fleet, owned: owned.move() });
  await writeState(options.home, stack.state());
  return stack;
}

const storesOf = ({ home, nats, test, ackWait, ...options }: StackOptions): Parameters<typeof startStores>[0] => ({
  home,
  nats,
  users: natsUserNames,
  streams: streamsOf(options),
  durable: !test,
  shielded: !test,
  ...(ackWait === undefined ? {} : { ackWait }),
  ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
});
