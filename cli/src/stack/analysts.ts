/**
 * Owns who reads a running stack's log from outside: their passwords in `run/secrets.json`, and the servers' list of users.
 * Y1  The durables are there before the user can connect, and go after it cannot any more.
 * Y2  Servers take a new list while they run (SIGHUP): connections of others go on.
 */
import { addAnalyst, analysts, natsUsers, removeAnalyst, type Analyst, type AnalystState } from '@loom/log';
import { connect } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { layout, readIfThere, writeSecret, type Secrets } from './files.ts';
import { reloadUsers } from './nats.ts';
import type { StackState } from './state.ts';

export interface Credentials {
  readonly servers: string;
  readonly user: Analyst;
  readonly password: string;
}

async function secretsIn(home: string): Promise<Secrets> {
  return JSON.parse((await readIfThere(layout(home).secrets)) ?? '{"nats":{},"postgres":{}}') as Secrets;
}

const setUpOn = ({ natsUrl: servers, streams }: StackState, { nats }: Secrets) => ({
  servers,
  streams,
  user: 'setup',
  password: nats['setup'] ?? '',
});

/** Again it gives the same credentials. @throws Failure 1 when the server does not take them */
export async function admit(home: string, up: StackState, user: Analyst, tenant: string | null): Promise<Credentials> {
  const secrets = await secretsIn(home);
  const password = secrets.nats[user] ?? newPassword();
  await addAnalyst(setUpOn(up, secrets), user, tenant);
  await replace(home, up, { ...secrets, nats: { ...secrets.nats, [user]: password } });
  const credentials = { servers: up.natsUrl, user, password };
  await until(credentials, true);
  return credentials;
}

/** A password that nats-server can read as a value without quotes, too. */
export const newPassword = (): string => `p${randomBytes(24).toString('hex')}`;

/** @throws Failure 2 for one that is not there */
export async function dismiss(home: string, up: StackState, user: Analyst): Promise<void> {
  const secrets = await secretsIn(home);
  const { [user]: password, ...nats } = secrets.nats;
  if (password === undefined) throw new Failure(2, `there is no ${user}`, ['./loom consumers ls shows who is there']);
  await replace(home, up, { ...secrets, nats });
  await until({ servers: up.natsUrl, user, password }, false);
  await removeAnalyst(setUpOn(up, secrets), user);
}

export async function admitted(home: string, up: StackState): Promise<readonly AnalystState[]> {
  return analysts(setUpOn(up, await secretsIn(home)));
}

async function replace(home: string, up: StackState, secrets: Secrets): Promise<void> {
  await writeSecret(layout(home).secrets, JSON.stringify(secrets, null, 2));
  const users = natsUsers(secrets.nats, up.streams);
  const { single, clustered } = layout(home).data;
  for (const [name, pid] of Object.entries(up.pids)) {
    if (name === 'nats-server') await reloadUsers(join(single, 'nats'), users, pid);
    else if (/^nats-\d+$/.test(name)) await reloadUsers(join(clustered, name), users, pid);
  }
}

/** Each server takes its list in its own time. */
async function until({ servers, user, password }: Credentials, may: boolean): Promise<void> {
  const left = new Set(servers.split(','));
  for (const end = Date.now() + 10_000; left.size > 0; await sleep(50)) {
    for (const server of left) if ((await takes(server, user, password)) === may) left.delete(server);
    if (left.size > 0 && Date.now() > end)
      throw new Failure(1, `${[...left].join(', ')} did not take the new list of users`, [
        './loom down and ./loom up do',
      ]);
  }
}

async function takes(server: string, user: Analyst, pass: string): Promise<boolean> {
  const options = { servers: server, user, pass, reconnect: false, timeout: 2000, inboxPrefix: `_INBOX_${user}` };
  return connect(options).then(
    async (connection) => (await connection.close(), true),
    () => false,
  );
}
