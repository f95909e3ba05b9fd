/**
 * Owns a whole Loom on one machine: nats-server, Postgres, and every service, in this process or one process each.
 * K1 what was started is stopped, in reverse order, also when the start itself fails. K2 the secrets of a data folder
 * are made once. K3 set-up (streams, roles, migrations) is run each time and changes nothing the second time.
 */
import { mkdir } from 'node:fs/promises';
import type { Output } from '../output.ts';
import { environmentOf, services, type Env, type Facts } from './environment.ts';
import { layout, secretsOf, type Secrets } from './files.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { authorizedParty, issuer, issuerPublicKey, mintToken, type TokenRequest } from './issuer.ts';
import { schemasOf } from './migrate.ts';
import { startNats, type Nats } from './nats.ts';
import { freePort, startPostgres, type Postgres } from './postgres.ts';
import { setUpKeys, setUpNats, setUpPostgres } from './setup.ts';
import { clearState, takeOver, writeState, type StackState } from './state.ts';

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
}

export interface Stack extends AsyncDisposable {
  readonly url: string;
  readonly natsUrl: string;
  /** As superuser, database `postgres`. */
  readonly postgresUrl: string;
  readonly home: string;
  state(): StackState;
  token(request?: TokenRequest): Promise<string>;
  /** The environment a service is started with; also of `operator` and `setup`, who are no services. */
  environment(service: string): Env;
  /** Split only: kill -9, returns when the process is gone. */
  kill(service: string): Promise<void>;
  /** Split only: starts a service again after its process ended. */
  restart(service: string): Promise<void>;
}

interface Stores {
  readonly nats: Nats;
  readonly postgres: Postgres;
  readonly secrets: Secrets;
}

const natsUserNames = [...Object.keys(services), 'operator', 'setup'];

/** NATS and Postgres, both set up. */
async function startStores(options: StackOptions, owned: AsyncDisposableStack): Promise<Stores> {
  const files = layout(options.home);
  const secrets = await secretsOf(options.home, natsUserNames, ['postgres', ...Object.keys(schemasOf)]);
  const streams = streamsOf(options);
  const shielded = !options.test;
  const { natsUsers } = await import('@loom/log');
  const users = natsUsers(secrets.nats, streams);
  const database = {
    dir: files.postgres,
    password: secrets.postgres['postgres'] ?? '',
    durable: !options.test,
    shielded,
  };
  const up = await Promise.allSettled([
    startNats({ binary: options.nats, dir: files.nats, users, shielded }).then((one) => owned.use(one)),
    startPostgres(database).then((one) => owned.use(one)),
  ]);
  const [nats, postgres] = [valueOf(up[0]), valueOf(up[1])];
  await Promise.all([
    setUpNats(nats.url, secrets.nats['setup'] ?? '', streams),
    setUpPostgres(postgres.url, secrets.postgres),
  ]);
  return { nats, postgres, secrets };
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

const streamsOf = (options: StackOptions): number => Number(options.env?.['LOOM_STREAMS'] ?? 4);

async function factsOf(options: StackOptions, { nats, postgres, secrets }: Stores): Promise<Facts> {
  const { home } = options;
  const names = Object.keys(services);
  const ports = await Promise.all(names.map(freePort));
  return {
    natsUrl: nats.url,
    natsPasswords: secrets.nats,
    postgresUrl: postgres.url,
    postgresPasswords: secrets.postgres,
    rootKeyFile: layout(home).rootKey,
    poolKeyFile: layout(home).poolKey,
    poolPublicKey: await setUpKeys(home),
    issuer,
    authorizedParty,
    issuerPublicKey: await issuerPublicKey(home),
    evalsToken: await mintToken(home, { person: 'evals', tenant: 'evals', seconds: 365 * 86_400 }),
    gatewayPort: options.port || (await freePort()),
    healthPorts: Object.fromEntries(names.map((name, i) => [name, ports[i] ?? 0])),
    sandbox: options.sandbox,
  };
}

function fleetOf(options: StackOptions, facts: Facts): Promise<Fleet> {
  const task = options.out?.task('services');
  const total = Object.keys(services).length;
  let count = 0;
  const starting = startFleet({
    split: options.split ?? false,
    shielded: !options.test,
    logs: layout(options.home).logs,
    environment: (service) => environmentOf(service, facts, options.env ?? {}),
    started: (name) => task?.at(++count / total, name),
  });
  starting.then(
    () => task?.done(options.split ? `${total}, one process each` : `${total} in one process`),
    () => task?.failed(),
  );
  return starting;
}

function stackOf(
  options: StackOptions,
  stores: Stores,
  facts: Facts,
  fleet: Fleet,
  owned: AsyncDisposableStack,
): Stack {
  const url = `http://127.0.0.1:${facts.gatewayPort}`;
  const startedAt = new Date().toISOString();
  const state = (): StackState => ({
    url,
    natsUrl: facts.natsUrl,
    split: options.split ?? false,
    startedAt,
    pid: process.pid,
    pids: { 'nats-server': stores.nats.pid, postgres: stores.postgres.pid, ...fleet.pids() },
    healthPorts: facts.healthPorts,
  });
  return {
    url,
    natsUrl: facts.natsUrl,
    postgresUrl: facts.postgresUrl,
    home: options.home,
    state,
    token: (request) => mintToken(options.home, request),
    environment: (service) => environmentOf(service, facts, options.env ?? {}),
    kill: (service) => fleet.kill(service),
    restart: async (service) => {
      await fleet.restart(service);
      await writeState(options.home, state());
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts a stack and waits until its gateway answers. @throws Failure 1 when one is up on this folder */
export async function startStack(options: StackOptions): Promise<Stack> {
  await mkdir(layout(options.home).logs, { recursive: true });
  await takeOver(options.home);
  await using owned = new AsyncDisposableStack();
  owned.defer(() => clearState(options.home));
  const task = options.out?.task('log and database');
  const stores = await startStores(options, owned);
  const facts = await factsOf(options, stores);
  task?.done();
  const fleet = owned.use(await fleetOf(options, facts));
  const kept = owned.move();
  const stack = stackOf(options, stores, facts, fleet, kept);
  await writeState(options.home, stack.state());
  return stack;
}
