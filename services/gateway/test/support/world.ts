import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { natsBlobs } from '@loom/blobs';
import type { Blobs } from '@loom/blobs';
import { connectLog, natsUsers, setUpLog } from '@loom/log';
import type { Log } from '@loom/log';
import { patient, postgresDatabase, natsServer } from '@loom/test';
import { ensureRootKeyFile, openVault } from '@loom/vault';
import type { Vault } from '@loom/vault';
import { start } from '../../src/index.ts';
import { issuer, issuerName, party } from './issuer.ts';
import type { Issuer } from './issuer.ts';

export interface World extends AsyncDisposable {
  readonly url: string;
  readonly issuer: Issuer;
  /** The orchestrator's side of the log: what the decider would write. */
  readonly log: Log;
  /** The agent-runner's side. */
  readonly runner: Log;
  readonly blobs: Blobs;
  /** As the gateway's own role. */
  readonly databaseUrl: string;
  /** As billing's. */
  readonly billingUrl: string;
  /** Stops the gateway, as SIGTERM does. */
  stop(): Promise<void>;
  /** Messages in every stream and bucket of the server, by name. */
  stored(): Promise<Record<string, number>>;
  /** A call with a bearer token (by default a fresh one of user_ann). */
  call(path: string, init?: RequestInit & { readonly token?: string }): Promise<Response>;
  /** A JSON POST. */
  post(path: string, body?: unknown, init?: { readonly token?: string; readonly key?: string }): Promise<Response>;
}

const users = ['gateway', 'orchestrator', 'agent-runner', 'setup'];

/** A gateway on real servers of its own, and the orchestrator's connection beside it. */
export async function world(env: Record<string, string> = {}): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const nats = opening.use(
    await natsServer({ users: natsUsers(Object.fromEntries(users.map((user) => [user, user]))) }),
  );
  const database = opening.use(await postgresDatabase());
  const rootKeyFile = await rootKey(opening);
  await setUpLog({ servers: nats.url, user: 'setup', password: 'setup' });
  const signer = issuer();
  const billingUrl = await database.migrate('billing');
  const databaseUrl = await database.migrate('gateway');
  const gateway = await start({
    LOOM_NATS_URL: nats.url,
    LOOM_NATS_PASSWORD: 'gateway',
    LOOM_PG_URL: databaseUrl,
    LOOM_ROOT_KEY_FILE: rootKeyFile,
    LOOM_JWT_KEY: signer.pem,
    LOOM_JWT_ISSUER: issuerName,
    LOOM_AUTHORIZED_PARTIES: party,
    ...env,
  });
  opening.defer(() => gateway.stop());
  const { log, blobs } = await worker(nats.url, rootKeyFile, 'orchestrator');
  opening.use(log);
  const { log: runner } = await worker(nats.url, rootKeyFile, 'agent-runner');
  opening.use(runner);
  const owned = opening.move();
  return {
    ...client(`http://127.0.0.1:${gateway.port}`, signer),
    issuer: signer,
    log,
    runner,
    blobs,
    databaseUrl,
    billingUrl,
    stored: () => stored(nats.url),
    stop: () => gateway.stop(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function rootKey(opening: AsyncDisposableStack): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-gateway-'));
  opening.defer(() => rm(dir, { recursive: true, force: true }));
  await ensureRootKeyFile(join(dir, 'root.key'));
  return join(dir, 'root.key');
}

function client(url: string, signer: Issuer): Pick<World, 'url' | 'call' | 'post'> {
  const call: World['call'] = (path, { token = signer.token(), ...init } = {}) => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    return fetch(`${url}${path}`, { ...init, headers });
  };
  const post: World['post'] = (path, body, { key, ...init } = {}) => {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    return call(path, { method: 'POST', headers, body: body === undefined ? null : JSON.stringify(body), ...init });
  };
  return { url, call, post };
}

async function worker(
  servers: string,
  rootKeyFile: string,
  user: 'orchestrator' | 'agent-runner',
): Promise<{ log: Log; blobs: Blobs }> {
  const opened: { blobs?: Blobs; vault?: Vault } = {};
  const log = await connectLog({
    servers,
    user,
    password: user,
    source: user,
    vault: async (connection) => (opened.vault = await openVault({ connection, rootKeyFile })),
    blobs: async (connection) => (opened.blobs = await natsBlobs({ connection })),
  });
  if (opened.blobs === undefined) throw new Error('no blobs');
  return { log, blobs: opened.blobs };
}

async function stored(servers: string): Promise<Record<string, number>> {
  await using log = await connectLog({ servers, user: 'setup', password: 'setup', source: 'operator' });
  const answer = await log.connection.request('$JS.API.STREAM.LIST', '', patient);
  const { streams } = answer.json<{ streams: { config: { name: string }; state: { messages: number } }[] }>();
  return Object.fromEntries(
    streams.flatMap(({ config, state }) => (config.name === 'KV_loom_leases' ? [] : [[config.name, state.messages]])),
  ) as Record<string, number>;
}
