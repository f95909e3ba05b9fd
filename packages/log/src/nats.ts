import { LoomError } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { sendLater } from './outbox.ts';

const listeners = new WeakMap<NatsConnection, Set<() => void>>();

/** Calls back whenever a lost connection is back; returns the function that ends it. */
export function onReconnect(connection: NatsConnection, listener: () => void): () => void {
  listeners.get(connection)?.add(listener);
  return () => listeners.get(connection)?.delete(listener);
}

async function tellReconnects(connection: NatsConnection): Promise<void> {
  const mine = new Set<() => void>();
  listeners.set(connection, mine);
  for await (const { type } of connection.status()) {
    if (type === 'reconnect') for (const listener of mine) listener();
  }
}

/** Publishes what may get lost: on a connection that is closed or draining nothing is said. */
export function say(connection: NatsConnection, subject: string, word: string | Uint8Array): void {
  sendLater(connection, () => {
    if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, word);
  });
}

/** Replies come to an inbox of the user's own, which nobody else may read; a lost connection is sought for ever. @throws LoomError `log_unavailable` */
export async function connectNats(options: {
  readonly servers: string;
  readonly user: string;
  readonly password: string;
}): Promise<NatsConnection> {
  try {
    const connection = await connect({
      servers: options.servers.split(','),
      ...(options.user === '' ? {} : { user: options.user, pass: options.password }),
      name: `loom ${options.user}`,
      inboxPrefix: `_INBOX_${options.user}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 200,
      noAsyncTraces: true, // a stack captured for every request costs more than the request
    });
    void tellReconnects(connection);
    return connection;
  } catch (cause) {
    throw new LoomError('log_unavailable', `no connection to NATS as ${options.user}`, { cause });
  }
}
