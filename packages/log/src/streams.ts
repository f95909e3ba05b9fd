/** What every stream and durable must be like; set-up makes them so, services check the echo. */
import { LoomError } from '@loom/service';
import { AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream';
import { filtersOf, timerConsumer, timerStream } from './consumers.ts';
import type { ConsumerRow } from './consumers.ts';
import { generation, partitions, streamName } from './subjects.ts';

type StreamWish = Partial<StreamConfig> & { readonly name: string };
type ConsumerWish = Partial<ConsumerConfig> & { readonly durable_name: string };

const nanos = (ms: number): number => ms * 1_000_000;

/** Advisories of 2026-06-29 are mended from here on. */
export const versionFloor = '2.14.3';

/** A preview of the floor itself is below it. @throws LoomError `server_too_old` */
export function checkVersion(version: string): void {
  const [, major, minor, patch, preview] = /^(\d+)\.(\d+)\.(\d+)(-.*)?$/.exec(version) ?? [];
  const need = versionFloor.split('.').map(Number);
  const differing = [major, minor, patch].map((part, i) => Number(part) - need[i]!).find((one) => one !== 0);
  const old = differing === undefined ? preview !== undefined : !(differing > 0);
  if (old) throw new LoomError('server_too_old', `nats-server ${version} is older than ${versionFloor}`);
}

export function eventStream(index: number, streams: number): StreamWish {
  const own = Array.from({ length: partitions }, (_, p) => p).filter((p) => p % streams === index);
  return {
    name: streamName(index),
    subjects: own.map((p) => `loom.${generation}.${p}.>`),
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: -1,
    max_msg_size: 1_048_576,
    deny_delete: true,
    deny_purge: false,
    allow_direct: true,
  };
}

/** What a span of the log is served into again. */
export function scratchStream(name: string): StreamWish {
  return {
    name,
    subjects: [`replay.${name}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    allow_direct: true,
  };
}

/** Schedules wait here under `timers.>`; what fires lies under `fired.>` until it is acked (work queue). */
export function timersStream(): StreamWish {
  return {
    name: timerStream,
    subjects: ['timers.>', 'fired.>'],
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    max_age: 0,
    max_msg_size: 4096,
    allow_msg_schedules: true,
    allow_direct: true,
  };
}

function bucket(name: string, more: Partial<StreamConfig>): StreamWish {
  return {
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: false,
    allow_direct: true,
    deny_delete: false,
    ...more,
  };
}

/** A lease that is not renewed for this long is gone; ms. */
export const leaseTtl = 5000;

export const buckets: readonly StreamWish[] = [
  bucket('loom_schemas', {}),
  // A key is written once: what is there is replaced by nobody, only erased by retention.
  bucket('loom_keys', { discard_new_per_subject: true }),
  bucket('loom_snapshots', {}),
  // On disk: a lone server forgets its streams in memory when it ends, and nobody could hold a lease any more.
  bucket('loom_leases', { max_age: nanos(leaseTtl) }),
];

/** Messages of one stream that a durable hands over unacknowledged. */
export const mostPending = 10_000;

export function durable(row: ConsumerRow, ackWait: number): ConsumerWish {
  return {
    durable_name: row.service,
    filter_subjects: filtersOf(row),
    deliver_policy: DeliverPolicy.All,
    ack_policy: row.inOrder ? AckPolicy.All : AckPolicy.Explicit,
    ack_wait: nanos(ackWait),
    max_deliver: -1,
    max_ack_pending: mostPending,
  };
}

export function timersDurable(ackWait: number): ConsumerWish {
  return {
    durable_name: timerConsumer,
    filter_subjects: ['fired.>'],
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWait),
    max_deliver: -1,
    max_ack_pending: mostPending,
  };
}

/** A server that does not know a setting drops it in silence. @throws LoomError `setting_not_echoed` naming it */
export function checkEcho(what: string, wish: object, echo: object): void {
  for (const [name, asked] of Object.entries(wish)) {
    const got = (echo as Record<string, unknown>)[name];
    const absent = asked === 0 || asked === false ? (got ?? asked) : got;
    if (!same(asked, absent)) throw new LoomError('setting_not_echoed', `${what}: the server does not hold ${name}`);
  }
}

function same(asked: unknown, got: unknown): boolean {
  if (Array.isArray(asked))
    return Array.isArray(got) && asked.length === got.length && asked.every((one) => got.includes(one));
  if (typeof asked !== 'object' || asked === null) return asked === got;
  return Object.entries(asked).every(([name, value]) => (got as Record<string, unknown> | undefined)?.[name] === value);
}
