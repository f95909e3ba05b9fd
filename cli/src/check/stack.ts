/** The checker on the stack that runs on a data folder. */
import { natsBlobs } from '@loom/blobs';
import type { CheckOptions, Report } from '@loom/check';
import { connectLog, type Log } from '@loom/log';
import { openVault } from '@loom/vault';
import { randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import { layout, readIfThere, type Secrets } from '../stack/files.ts';
import { runningStack, type StackState } from '../stack/state.ts';
import { checkAll } from './all.ts';
import { decideAgain } from './decide-again.ts';

interface Options {
  readonly job?: string;
  readonly running?: boolean;
  /** Derive every decision anew; needs the keys. */
  readonly decide?: boolean;
  readonly onProgress?: NonNullable<CheckOptions['onProgress']>;
}

/** @throws Failure 3 when no stack is up on the folder */
export async function checkStack(home: string, { decide: opens = false, ...options }: Options): Promise<Report> {
  const reached = await operatorOn(home, opens);
  await using log = reached.log;
  if (opens) await putOnRecord(log, 'loom check --decide', options.job ?? '');
  return await checkAll(log, { ...options, ...(opens ? { decide: decideAgain } : {}) }, postgresOf(reached));
}

/** As superuser. */
export const postgresOf = ({ up, secrets }: Reached): string =>
  `postgres://postgres:${secrets.postgres?.['postgres'] ?? ''}@127.0.0.1:${up.postgresPort}/postgres`;

/** The running stack as its operator reaches it; with `opens` the log has the keys. @throws Failure 3 when none is up on the folder */
export async function operatorOn(home: string, opens: boolean): Promise<Reached> {
  const up = await runningStack(home);
  if (up === null) throw new Failure(3, 'no Loom is up on this data folder', ['./loom up starts one']);
  const secrets = JSON.parse((await readIfThere(layout(home).secrets)) ?? '{}') as Partial<Secrets>;
  return { up, secrets, log: await operatorLog(home, up, secrets, opens) };
}

export interface Reached {
  readonly up: StackState;
  readonly secrets: Partial<Secrets>;
  readonly log: Log;
}

function operatorLog(home: string, up: StackState, secrets: Partial<Secrets>, opens: boolean): Promise<Log> {
  const rootKeyFile = layout(home).rootKey;
  return connectLog({
    servers: up.natsUrl,
    user: 'operator',
    password: secrets.nats?.['operator'] ?? '',
    source: 'operator',
    streams: up.streams,
    ...(opens ? { vault: (connection) => openVault({ connection, rootKeyFile }), blobs: natsBlobsOf } : {}),
  });
}

const natsBlobsOf = (connection: Log['connection']) => natsBlobs({ connection });

/** An operator who opens content is on record before the first byte is opened (design, invariant 7). */
export async function putOnRecord(log: Log, action: string, target: string): Promise<void> {
  const request = { action, target, person: 'operator', ip: '', user_agent: 'loom' };
  const draft = {
    type: 'request.recorded',
    key: randomBytes(16).toString('hex'),
    body: { outcome: 'done', request },
  } as const;
  await log.append({ tenant: '_', stream: 'system' }, draft);
}
