/** A nats-server with Loom's users and streams, and logs on it as the services see it. */
import { natsBlobs } from '@loom/blobs';
import { natsServer, patient } from '@loom/test';
import { ensureRootKeyFile, generatePoolKeys, openVault } from '@loom/vault';
import type { Bodies } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectLog, natsUsers, setUpLog, streamNames } from '../src/index.ts';
import type { Address, Draft, Fence, Log, NatsUser, Source } from '../src/index.ts';

export const users: readonly NatsUser[] = [
  'gateway',
  'orchestrator',
  'agent-runner',
  'sandbox',
  'billing',
  'audit',
  'retention',
  'evals',
  'operator',
  'setup',
  'analyst-bi',
];

export interface World extends AsyncDisposable {
  readonly url: string;
  readonly storeDir: string;
  readonly pid: number;
  log(source: Source): Promise<Log>;
  /** As `setAckWait`. */
  ackWait(durable: Source, ms: number): Promise<void>;
  readonly poolPrivateKey: string;
  readonly rootKeyFile: string;
}

export const passwordOf = (user: string): string => `pass-${user}`;

/**
 * What is handed to a consumer in the moment that it ends comes again after the ack wait: tests that end one and begin another give `shortly`, which
 * is yet longer than a busy machine lets a process stand.
 */
export const shortly = { ackWait: 10_000 } as const;

export async function world(options: { readonly ackWait?: number } = {}): Promise<World> {
  const server = await natsServer({
    users: natsUsers(Object.fromEntries(users.map((user) => [user, passwordOf(user)]))),
  });
  const rootKeyFile = join(server.dir, 'root.key');
  await ensureRootKeyFile(rootKeyFile);
  const pool = await generatePoolKeys();
  await setUpLog({ servers: server.url, user: 'setup', password: passwordOf('setup'), ...options });
  const logs: Log[] = [];
  return {
    url: server.url,
    storeDir: server.storeDir,
    pid: server.pid,
    poolPrivateKey: pool.privateKey,
    rootKeyFile,
    async log(source) {
      const log = await connectLog({
        servers: server.url,
        user: source === 'timer' ? 'orchestrator' : source,
        password: passwordOf(source),
        source,
        vault: (connection) => openVault({ connection, rootKeyFile, poolPublicKey: pool.publicKey }),
        blobs: (connection) => natsBlobs({ connection }),
      });
      logs.push(log);
      return log;
    },
    ackWait: (durable, ms) => setAckWait(server.url, passwordOf('setup'), durable, ms),
    async [Symbol.asyncDispose]() {
      await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()));
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Has what is handed over and not acked come again after so many ms, for who consumes from then on. `pass`: the set-up's. */
export async function setAckWait(servers: string, pass: string, durable: string, ms: number): Promise<void> {
  await using connection = await connect({ servers, user: 'setup', pass, inboxPrefix: '_INBOX_setup' });
  const manager = await jetstreamManager(connection, { checkAPI: false, ...patient });
  for (const stream of streamNames(4)) await manager.consumers.update(stream, durable, { ack_wait: ms * 1_000_000 });
}

/** A fresh job's address. */
export function job(tenant = 'tacme'): Address {
  return { tenant, stream: `job_0${randomBytes(13).toString('hex')}` };
}

export const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '192.0.2.7', user_agent: 'test' };

export function submitted(brief = 'Compare the packages.'): Draft {
  return {
    type: 'job.submitted',
    key: '0',
    body: {
      brief,
      attachments: [],
      metadata: {},
      engagement: 'default',
      owner: 'user_1',
      budget_micros: null,
      models: {},
      follows: null,
      forked_from: null,
      from_seq: null,
      mode: null,
      tightened: {},
      request,
    },
  };
}

export function message(key: string, text = 'More, please.'): Draft {
  return { type: 'message.posted', key, body: { text, in_reply_to: null, request } };
}

export function epoch(key: string, number = 1): Draft {
  return { type: 'epoch.raised', key, body: { epoch: number, reason: 'killed' } };
}

export function run(key: string, args = '{"language":"python","code":"print(1)"}'): Draft {
  return {
    type: 'run.requested',
    key,
    body: {
      agent: 'a1',
      step: 1,
      call: 0,
      attempt: 1,
      epoch: 0,
      tool: 'run_code',
      args,
      inputs: [],
      call_key: Buffer.alloc(0),
      recorded: null,
      reserved_micros: 0,
      deadline_ms: 60_000,
    },
  };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

export const fence = (seq: number, orchestratorSeq: number): Fence => ({ seq, orchestratorSeq, chain: 'c0ffee' });

/** A request of a runner's tool. */
export function tool(key: string): Draft {
  const body = { agent: 'a1', step: 1, call: 0, attempt: 1, epoch: 0, tool: 'list_files', args: '{}' };
  return { type: 'tool.requested', key, body: { ...body, reserved_micros: 0, deadline_ms: 1000 } };
}

/** Waits until `done` says so; of what nobody promises a time. @throws after 45 s */
export async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 45_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error('it never came');
    await sleep(20);
  }
}

/** How many reads of event streams this log has asked the server for since. */
export function countReads({ connection }: Log): () => number {
  const publish = connection.publish.bind(connection);
  let asked = 0;
  connection.publish = (subject, ...rest) => {
    if (subject.startsWith('$JS.API.DIRECT.GET.LOOM_EVENTS')) asked += 1;
    publish(subject, ...rest);
  };
  return () => asked;
}

export async function parkedOf(log: Log, at: Address): Promise<Bodies['message.parked'][]> {
  const facts = await all(log.readClear(at));
  return facts.flatMap(({ said }) => (said?.type === 'message.parked' ? [said.body] : []));
}

export const failing = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (cause: unknown) => LoomError.from(cause).code,
  );
