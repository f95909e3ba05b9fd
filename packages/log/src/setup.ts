/** The set-up job: the one user that makes streams, buckets and durables. Run again it changes nothing, or says what differs. */
import { schemas } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { blobBucketConfig } from '@loom/blobs';
import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { ConsumerInfo, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import type { NatsConnection } from '@nats-io/nats-core';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Block } from './block.ts';
import { consumerTable, timerStream } from './consumers.ts';
import { connectNats } from './nats.ts';
import { buckets, checkEcho, checkVersion, durable, eventStream, timersDurable, timersStream } from './streams.ts';
import { streamNames } from './subjects.ts';
import { publish } from './transport.ts';

export interface SetUpOptions {
  readonly servers: string;
  readonly user: string;
  readonly password: string;
  /** S; default 4. Fixed for as long as the generation lives. */
  readonly streams?: number;
  /** R; default 1. */
  readonly replicas?: number;
  /** Until an unacked message is delivered again, ms; default 60,000. Tests shorten it. */
  readonly ackWait?: number;
}

/** Makes or checks everything that the services need of NATS. Idempotent. @throws LoomError `server_too_old`, `setting_not_echoed` */
export async function setUpLog(options: SetUpOptions): Promise<void> {
  const connection = await connectNats(options);
  try {
    checkVersion(connection.info?.version ?? '0');
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await makeStreams(manager, options);
    await makeDurables(manager, options);
    await publishSchemas(connection);
  } finally {
    await connection.close();
  }
}

async function makeStreams(manager: JetStreamManager, { streams = 4, replicas = 1 }: SetUpOptions): Promise<void> {
  const events = Array.from({ length: streams }, (_, k) => eventStream(k, streams));
  await Promise.all(events.map((wish) => makeStream(manager, { ...wish, num_replicas: replicas }, true)));
  for (const wish of [timersStream(), ...buckets, blobBucketConfig()])
    await makeStream(manager, { ...wish, num_replicas: replicas }, false);
}

/** Never updates a stream that is there: an update can destroy its history in spite of `deny_delete`. */
async function makeStream(
  manager: JetStreamManager,
  wish: Partial<StreamConfig> & { readonly name: string },
  incarnate: boolean,
): Promise<void> {
  const metadata = incarnate ? { metadata: { 'loom.incarnation': randomUUID() } } : {};
  const info = await insist(
    async () =>
      (await absentAsNull(manager.streams.info(wish.name))) ?? (await manager.streams.add({ ...wish, ...metadata })),
  );
  checkEcho(wish.name, wish, info.config);
}

async function makeDurables(manager: JetStreamManager, { streams = 4, ackWait = 60_000 }: SetUpOptions): Promise<void> {
  // In a cluster each durable is a group that has to find its leader: streams do not wait for each other.
  const ofStream = async (stream: string): Promise<void> => {
    for (const row of consumerTable) await makeDurable(manager, stream, durable(row, ackWait));
  };
  await Promise.all(streamNames(streams).map(ofStream));
  await makeDurable(manager, timerStream, timersDurable(ackWait));
}

/** Makes or checks a durable. @throws LoomError `setting_not_echoed`, `log_unavailable` */
export async function makeDurable(
  manager: JetStreamManager,
  stream: string,
  wish: ReturnType<typeof durable>,
): Promise<void> {
  const { durable_name: name, filter_subjects: filters = [] } = wish;
  const found = await insist(
    async () =>
      (await absentAsNull(manager.consumers.info(stream, name))) ?? (await manager.consumers.add(stream, wish)),
  );
  const other = !isDeepStrictEqual(new Set(filtersIn(found)), new Set(filters));
  const info = other ? await refilter(manager, stream, wish) : found;
  checkEcho(`${stream}/${name}`, wish, { ...info.config, filter_subjects: filtersIn(info) });
}

const filtersIn = ({ config }: ConsumerInfo): readonly string[] =>
  config.filter_subject === undefined ? (config.filter_subjects ?? []) : [config.filter_subject];

/** A release hands a durable other facts than the one before: its place in the stream stays. */
function refilter(
  manager: JetStreamManager,
  stream: string,
  { durable_name, filter_subjects = [] }: ReturnType<typeof durable>,
): Promise<ConsumerInfo> {
  return insist(() => manager.consumers.update(stream, durable_name, { filter_subject: '', filter_subjects }));
}

export async function absentAsNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (cause) {
    if (cause instanceof JetStreamApiError && cause.status === 404) return null;
    throw cause;
  }
}

/** A cluster that has just started finds the leaders of its groups within seconds; ms. */
const patience = 30_000;
const noPeersYet = 10005;

/** Asks again while nobody answers, or nobody leads. @throws LoomError `log_unavailable` */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + patience; ; await sleep(250)) {
    try {
      return await work();
    } catch (cause) {
      const silent =
        cause instanceof errors.TimeoutError ||
        (cause instanceof JetStreamApiError && (cause.status === 503 || cause.code === noPeersYet));
      if (!silent || Date.now() > end)
        throw new LoomError('log_unavailable', 'the log does not answer the set-up', { cause });
    }
  }
}

/** Analysts find a fact's schema by the fingerprint in its body. @throws LoomError `log_unavailable` */
async function publishSchemas(connection: NatsConnection): Promise<void> {
  for (const [fingerprint, { avsc }] of schemas) {
    const body = Buffer.from(JSON.stringify(avsc));
    await publish(connection, { subject: `$KV.loom_schemas.${fingerprint}`, body, headers: new Block([]) }, patience);
  }
}
