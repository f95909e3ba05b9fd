/** A log with Loom's users, an orchestrator's and a gateway's hand on it, and the environment of a sandbox beside it. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { natsBlobs } from '@loom/blobs';
import { connectLog, natsUsers, setUpLog } from '@loom/log';
import type { Address, Draft, Fact, Log } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { natsServer, sandboxImage } from '@loom/test';
import { ensureRootKeyFile, generatePoolKeys, openVault } from '@loom/vault';
import { setAckWait, shortly } from '../../../packages/log/test/world.ts';
import { socket } from './engine.ts';

type Settled = Bodies['tool.settled'];

const users = ['gateway', 'orchestrator', 'sandbox', 'setup'] as const;

export async function world() {
  const server = await natsServer({ users: natsUsers(Object.fromEntries(users.map((user) => [user, user]))) });
  const rootKeyFile = join(server.dir, 'root.key');
  const privateKeyFile = join(server.dir, 'pool.key');
  await ensureRootKeyFile(rootKeyFile);
  const { publicKey, privateKey } = await generatePoolKeys();
  await writeFile(privateKeyFile, privateKey, { mode: 0o600 });
  await setUpLog({ servers: server.url, user: 'setup', password: 'setup', ...shortly });
  const orchestrator = await logOf('orchestrator', server.url, rootKeyFile, publicKey);
  const gateway = await logOf('gateway', server.url, rootKeyFile, publicKey);
  const dispose = async (): Promise<void> => {
    await Promise.all([orchestrator[Symbol.asyncDispose](), gateway[Symbol.asyncDispose]()]);
    await server[Symbol.asyncDispose]();
  };
  const blobs = await natsBlobs({ connection: orchestrator.connection });
  const env = await environment(server.url, privateKeyFile);
  const ackWait = (ms: number): Promise<void> => setAckWait(server.url, 'setup', 'sandbox', ms);
  return { orchestrator, gateway, blobs, env, pool: env.LOOM_SANDBOX_POOL, ackWait, [Symbol.asyncDispose]: dispose };
}

function logOf(
  source: 'gateway' | 'orchestrator',
  servers: string,
  rootKeyFile: string,
  poolPublicKey: string,
): Promise<Log> {
  return connectLog({
    servers,
    user: source,
    password: source,
    source,
    vault: (connection) => openVault({ connection, rootKeyFile, poolPublicKey }),
    blobs: (connection) => natsBlobs({ connection }),
  });
}

const environment = async (url: string, privateKeyFile: string) => ({
  LOOM_NATS_URL: url,
  LOOM_NATS_PASSWORD: 'sandbox',
  LOOM_POOL_PRIVATE_KEY_FILE: privateKeyFile,
  LOOM_SANDBOX_IMAGE: await sandboxImage(),
  LOOM_SANDBOX_POOL: `test-${randomBytes(4).toString('hex')}`,
  LOOM_SANDBOX_POOL_SIZE: '0',
  LOOM_DOCKER_SOCKET: socket,
});

/** A fresh job's address. */
export const job = (): Address => ({ tenant: 'tacme', stream: `job_0${randomBytes(13).toString('hex')}` });

/** A request to run Python, or with whatever else `body` says. */
export function run(code: string, body: Partial<Bodies['run.requested']> = {}, key = 'a1-1-0-1'): Draft {
  const args = JSON.stringify({ language: 'python', code });
  const common = { agent: 'a1', step: 1, call: 0, attempt: 1, epoch: 0, tool: 'run_code', inputs: [] };
  return {
    type: 'run.requested',
    key,
    body: {
      ...common,
      args,
      call_key: Buffer.alloc(0),
      recorded: null,
      reserved_micros: 0,
      deadline_ms: 60_000,
      ...body,
    },
  };
}

export const kill = (key: string): Draft => ({
  type: 'job.kill-requested',
  key,
  body: {
    agent: key === '0' ? null : key,
    request: { action: '', target: '', person: 'user_1', ip: '', user_agent: '' },
  },
});

/** Waits for the outcome of a call. */
export async function settled(log: Log, at: Address, key = 'a1-1-0-1'): Promise<Settled> {
  for (;;) {
    const fact = await log.get(at, 'sandbox', 'tool.settled', key);
    if (fact?.said?.type === 'tool.settled') return fact.said.body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The facts that the sandbox wrote about a job, in order. */
export async function written(log: Log, at: Address): Promise<readonly Fact[]> {
  const facts: Fact[] = [];
  for await (const fact of log.read(at)) if (fact.source === 'sandbox') facts.push(fact);
  return facts;
}
