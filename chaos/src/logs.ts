/** The log with the rights of one user of a stack. */
import { natsBlobs } from '@loom/blobs';
import { connectLog, type Log } from '@loom/log';
import type { Stack } from '@loom/test';
import { openVault } from '@loom/vault';

const connecting = (stack: Stack, user: string) => ({
  servers: stack.natsUrl,
  user,
  password: stack.environment(user)['LOOM_NATS_PASSWORD'] ?? '',
  streams: stack.state().streams,
});

/** Clear fields only; writes as evals does, and what evals may not write the server refuses. */
export const logAs = (stack: Stack, user: 'evals' | 'setup'): Promise<Log> =>
  connectLog({ ...connecting(stack, user), source: 'evals' });

/** The whole log with all its content, opened with the operator's rights and the stack's root key. */
export function openLog({ stack }: { readonly stack: Stack }): Promise<Log> {
  const rootKeyFile = stack.environment('orchestrator')['LOOM_ROOT_KEY_FILE'] ?? '';
  return connectLog({
    ...connecting(stack, 'operator'),
    source: 'operator',
    vault: (connection) => openVault({ connection, rootKeyFile }),
    blobs: (connection) => natsBlobs({ connection }),
  });
}
