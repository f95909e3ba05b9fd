import { LoomError } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';

/** Replies come to an inbox of the user's own, which nobody else may read; a lost connection is sought for ever. @throws LoomError `log_unavailable` */
export async function connectNats(options: {
  readonly servers: string;
  readonly user: string;
  readonly password: string;
}): Promise<NatsConnection> {
  try {
    return await connect({
      servers: options.servers.split(','),
      ...(options.user === '' ? {} : { user: options.user, pass: options.password }),
      name: `loom ${options.user}`,
      inboxPrefix: `_INBOX_${options.user}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 200,
      ignoreClusterUpdates: false,
    });
  } catch (cause) {
    throw new LoomError('log_unavailable', `no connection to NATS as ${options.user}`, { cause });
  }
}
