/**
 * What is to be published goes out together once the events at hand are dealt with: one write to the socket for all of them, where nats.js
 * makes one for each turn of promises. Owns what waits to go out; holds nothing back for longer than that.
 * O1  In the order in which it was given.
 * O2  `flushOutbox` before the connection is drained, or waited for.
 */
import type { NatsConnection } from '@nats-io/nats-core';

const outboxes = new WeakMap<NatsConnection, (() => void)[]>();

/** `publish` must not throw. */
export function sendLater(connection: NatsConnection, publish: () => void): void {
  const waiting = outboxes.get(connection) ?? [];
  outboxes.set(connection, waiting);
  waiting.push(publish);
  if (waiting.length === 1) setImmediate(() => flushOutbox(connection));
}

export function flushOutbox(connection: NatsConnection): void {
  for (const publish of outboxes.get(connection)?.splice(0) ?? []) publish();
}
