/** A stack on which three jobs were done: one that completed, one that asked a question, and one that was cancelled. */
import { natsBlobs } from '@loom/blobs';
import { connectLog, type Address, type Log } from '@loom/log';
import { clientOf, stack, type Client, type Stack } from '@loom/test';
import { openVault } from '@loom/vault';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../../../test/emulators/anthropic.ts';
import type { Emulator, Script } from '../../../test/emulators/script.ts';
import { heard, replayScript } from './replay-script.ts';

export interface Context {
  model: Emulator;
  system: Stack;
  client: Client;
  log: Log;
  /** Hash by sequence, as the gateway told it while the job went on. */
  live: Map<number, string>;
  /** How often the gateway was asked for that; null once that is over. */
  looks: number | null;
  whole: string;
  asked: string;
  cancelled: string;
}
interface Ran {
  readonly exit: number;
  readonly lines: readonly Record<string, unknown>[];
  readonly err: string;
}

/** `./loom replay` on the stack. */
export const loom = ({ system }: Pick<Context, 'system'>, ...args: readonly string[]): Promise<Ran> =>
  command(system, 'replay', ...args);

/** A command on a stack, with `--json`. */
export async function command({ home }: Pick<Stack, 'home'>, name: string, ...args: readonly string[]): Promise<Ran> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const env = { ...process.env, LOOM_HOME: home };
  const child = spawn(process.execPath, [main, name, ...args, '--json'], { env });
  const [[exit], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  const lines = out.split('\n').filter(Boolean);
  return { exit: Number(exit), lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), err };
}

/** The watched job's model answers when it was looked at where the job stands, the halted job's worker when the halt was asked for: on no machine is either over before. */
function paced(context: Context, halt: Promise<void>): Script {
  return async (asked, call) => {
    if (heard(asked).includes(watchedBrief)) await looked(context);
    if (heard(asked).includes('SLOW') && asked.tools.includes('delegate')) await halt;
    return replayScript(asked, call);
  };
}

const watchedBrief = 'Count the rows.';

/** Until a look that began after this was over. */
async function looked(context: Context): Promise<void> {
  const enough = (context.looks ?? 0) + 2;
  while (context.looks !== null && context.looks < enough) await sleep(5);
}

export async function setUp(context: Context): Promise<void> {
  const halt = Promise.withResolvers<void>();
  Object.assign(context, { live: new Map(), looks: 0 });
  context.model = await anthropicEmulator({ script: paced(context, halt.promise) });
  const env = { ANTHROPIC_BASE_URL: context.model.url, ANTHROPIC_API_KEY: 'test', LOOM_RATE_LIMIT: '1000000' };
  context.system = await stack({ env });
  context.client = clientOf(context.system);
  context.log = await logOf(context.system, 'operator');
  const [whole, asked, cancelled] = await Promise.all([
    watched(context).finally(() => (context.looks = null)),
    answered(context),
    halted(context, halt.resolve),
  ]);
  Object.assign(context, { whole, asked, cancelled });
}

export async function tearDown({ log, system, model }: Context): Promise<void> {
  await log[Symbol.asyncDispose]();
  await system[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
}

export const rootKeyOf = (system: Stack): string => join(system.home, 'keys', 'root.key');

/** With the keys. */
export const logOf = (system: Stack, user: 'operator' | 'retention'): Promise<Log> =>
  connectLog({
    servers: system.natsUrl,
    streams: system.state().streams,
    user,
    password: system.environment(user)['LOOM_NATS_PASSWORD'] ?? '',
    source: user,
    vault: (connection) => openVault({ connection, rootKeyFile: rootKeyOf(system) }),
    blobs: (connection) => natsBlobs({ connection }),
  });

/** A job that completes, whose state the gateway was asked for all the while. */
async function watched(context: Context): Promise<string> {
  const { client } = context;
  const id = await client.submit(watchedBrief, { 'rows.csv': 'a,b\n1,2\n3,4\n' });
  const over = client.ended(id);
  for (let done = false; !done; await sleep(20)) {
    const { seq, state_hash } = await client.gateway.json<{ seq: number; state_hash: string }>(
      'GET',
      `/v1/jobs/${id}/state`,
    );
    context.live.set(seq, state_hash);
    context.looks = (context.looks ?? 0) + 1;
    done = (await client.gateway.job(id)).status === 'completed';
  }
  assert.is((await over).status, 'completed');
  return id;
}

async function answered({ client }: Context): Promise<string> {
  const id = await client.submit('ASK me first.');
  const waiting = await client.until(id, ({ status }) => status === 'waiting_input');
  const body = { text: 'By month.', in_reply_to: waiting.pending[0]?.id };
  await client.gateway.call('POST', `/v1/jobs/${id}/messages`, body);
  assert.is((await client.ended(id)).status, 'completed');
  return id;
}

async function halted({ client }: Context, asked: () => void): Promise<string> {
  const id = await client.submit('SLOW work.');
  await client.until(id, ({ agents }) => agents.some(({ kind, status }) => kind === 'worker' && status === 'thinking'));
  await client.gateway.call('POST', `/v1/jobs/${id}/cancel`);
  asked();
  assert.is((await client.ended(id)).status, 'cancelled');
  return id;
}

export async function addressOf(log: Log, id: string): Promise<Address> {
  const { found } = await log.scan('gateway', 'job.submitted');
  const at = found.find(({ stream }) => stream === id);
  assert.ok(at);
  return at;
}
