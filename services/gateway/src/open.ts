import { setTimeout as sleep } from 'node:timers/promises';
import { natsBlobs } from '@loom/blobs';
import type { Blobs } from '@loom/blobs';
import { connectLog } from '@loom/log';
import type { Log } from '@loom/log';
import { openVault } from '@loom/vault';
import type { Vault } from '@loom/vault';
import type { GatewaySettings } from './config.ts';
import type { Gate } from './identity/authenticate.ts';
import { csrf } from './identity/csrf.ts';
import { tokenVerifier } from './identity/tokens.ts';

interface Opened {
  readonly log: Log;
  readonly vault: Vault;
  readonly blobs: Blobs;
}

/** The log, with the vault and the blobs on its own connection. @throws LoomError `log_unavailable`, `server_too_old`, `root_key_unreadable` */
export async function openLog(set: GatewaySettings): Promise<Opened> {
  const opened: { vault?: Vault; blobs?: Blobs } = {};
  const log = await connectLog({
    servers: set.natsUrl,
    user: set.natsUser,
    password: set.natsPassword.reveal(),
    streams: set.streams,
    source: 'gateway',
    vault: async (connection) => (opened.vault = await openVault({ connection, rootKeyFile: set.rootKeyFile })),
    blobs: async (connection) => (opened.blobs = await natsBlobs({ connection })),
  });
  if (opened.vault === undefined || opened.blobs === undefined) throw new Error('the log opened no vault or no blobs');
  return { log, vault: opened.vault, blobs: opened.blobs };
}

/** Who comes in. The key of CSRF tokens hangs on the operator's own key, so that every replica knows it; the clock is the log's. */
export async function openGate(set: GatewaySettings, { vault, log }: Pick<Opened, 'vault' | 'log'>): Promise<Gate> {
  const operator = await vault.open('_', 'system');
  const issuer = set.issuer ?? set.clerk?.host ?? null;
  return {
    verify: tokenVerifier({ keys: set.jwtKeys, authorizedParties: set.authorizedParties, issuer }, () => log.now()),
    csrf: csrf(operator.hmac('id', Buffer.from('csrf'))),
  };
}

/** Whether the log answers within a second; for readiness. */
export function reachable(log: Log): Promise<boolean> {
  const answered = log.connection.rtt().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(1_000, false, { ref: false })]);
}
