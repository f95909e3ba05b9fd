/**
 * Leases in the KV bucket `loom_leases`: who holds one handles a stream's facts for a service.
 * L1  Taken and renewed by compare-and-set on the entry's revision; the bucket drops an entry that is not renewed within its age.
 * L2  A holder that could not renew in time stops by itself before the entry is gone.
 * L3  A lease makes work meet on one replica; it is no fence. What must not happen twice is fenced in the log.
 */
import { metrics } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { setTimeout as sleep } from 'node:timers/promises';
import { Block } from './block.ts';
import { expecting } from './headers.ts';
import { leaseTtl } from './streams.ts';
import { directGet, publish } from './transport.ts';

const renewEvery = 1500;
const askEvery = 800;
const margin = 1000;

const losses = metrics.counter('loom.leases.lost', 'Leases that could not be renewed in time, by durable.');
const durableOf = (name: string) => ({ 'messaging.consumer.group.name': name.split('.', 1)[0] ?? '' });

/** Runs `work` whenever the lease is held, until `signal` aborts; its own signal aborts when the lease is lost. */
export async function underLease(
  connection: NatsConnection,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const subject = `$KV.loom_leases.${name}`;
  losses.add(0, durableOf(name));
  while (!signal.aborted) {
    const revision = await acquire(connection, subject);
    if (revision === null) await pause(askEvery * (0.75 + Math.random() / 2), signal);
    else if (!(await hold(connection, subject, revision, signal, work))) losses.add(1, durableOf(name));
  }
}

/** False when the lease was lost meanwhile. */
async function hold(
  connection: NatsConnection,
  subject: string,
  first: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const lost = new AbortController();
  const done = new AbortController();
  const renewing = renew(connection, subject, first, done.signal).then((revision) => {
    if (revision === null) lost.abort();
    return revision;
  });
  try {
    await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    done.abort();
    const revision = await renewing;
    if (revision !== null) await put(connection, subject, revision, '');
  }
  return !lost.signal.aborted;
}

/** Until `done`; the last revision, or null when the lease was lost. */
async function renew(
  connection: NatsConnection,
  subject: string,
  first: number,
  done: AbortSignal,
): Promise<number | null> {
  let revision = first;
  let held = performance.now();
  for (;;) {
    await pause(renewEvery, done);
    if (done.aborted) return revision;
    const asked = performance.now();
    const result = await put(connection, subject, revision, 'held');
    if (typeof result === 'number') [revision, held] = [result, asked];
    else if (result === 'taken' || performance.now() - held > leaseTtl - margin) return null;
  }
}

/** The revision under which it is held, or null: another holds it, or the log does not answer. */
async function acquire(connection: NatsConnection, subject: string): Promise<number | null> {
  try {
    const entry = await directGet(connection, 'KV_loom_leases', subject);
    if (entry !== null && entry.body.length > 0) return null;
    const result = await put(connection, subject, entry?.seq ?? 0, 'held');
    return typeof result === 'number' ? result : null;
  } catch {
    return null;
  }
}

async function put(
  connection: NatsConnection,
  subject: string,
  expected: number,
  value: 'held' | '',
): Promise<number | 'taken' | 'unknown'> {
  const message = { subject, body: Buffer.from(value), headers: new Block(expecting({ seq: expected })) };
  const result = await publish(connection, message, margin).catch(() => null);
  if (result === null) return 'unknown';
  return result.kind === 'stored' ? result.seq : 'taken';
}

/** Sleeps, or returns early when the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);
