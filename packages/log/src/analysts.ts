/**
 * Readers from outside of Loom: a NATS user and a durable of its name on every event stream, made by the set-up alone.
 * U5  An analyst takes and acknowledges the messages of its own durables, asks how they stand, and reads the schemas: nothing else.
 *     What it is handed is sealed, and it has no way to a key. Nobody waits for it: what retention purges before it came there is gone.
 */
import { LoomError } from '@loom/service';
import { jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats } from './nats.ts';
import { absentAsNull, makeDurable } from './setup.ts';
import type { SetUpOptions } from './setup.ts';
import { durable } from './streams.ts';
import { streamNames } from './subjects.ts';
import { isAnalyst } from './users.ts';
import type { Analyst } from './users.ts';

type Options = Pick<SetUpOptions, 'servers' | 'user' | 'password' | 'streams'>;

/** How far an analyst is, over all streams. */
export interface AnalystState {
  readonly user: Analyst;
  /** The one tenant that it is handed; null for all. */
  readonly tenant: string | null;
  /** Not handed out yet. */
  readonly waiting: number;
  /** Handed out and not acknowledged. */
  readonly unacknowledged: number;
}

/** The NATS user of a name, which is also its durables'. @throws LoomError `validation_failed` */
export function analystOf(name: string): Analyst {
  if (/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) return `analyst-${name}`;
  throw new LoomError('validation_failed', 'a name is up to 32 of a-z, 0-9 and -', { field: 'name' });
}

/** Makes the durables from the first fact kept; again it changes nothing but the tenant. @throws LoomError `log_unavailable` */
export function addAnalyst(options: Options, user: Analyst, tenant: string | null): Promise<void> {
  const row = { service: user, facts: [], leased: false, inOrder: false };
  const filters = tenant === null ? {} : { filter_subjects: [filterOf(tenant)] };
  const wish = { ...durable(row, ackWait), ...filters };
  return withManager(options, async (manager) => {
    await Promise.all(streamsOf(options).map((stream) => makeDurable(manager, stream, wish)));
  });
}

/** Removes the durables; their place in the streams is lost. */
export function removeAnalyst(options: Options, user: Analyst): Promise<void> {
  return withManager(options, async (manager) => {
    for (const stream of streamsOf(options)) await absentAsNull(manager.consumers.delete(stream, user));
  });
}

export function analysts(options: Options): Promise<readonly AnalystState[]> {
  return withManager(options, async (manager) => {
    const found = new Map<Analyst, AnalystState>();
    for (const stream of streamsOf(options)) {
      for await (const { name, config, num_pending, num_ack_pending } of manager.consumers.list(stream)) {
        if (!isAnalyst(name)) continue;
        const before = found.get(name) ?? { waiting: 0, unacknowledged: 0 };
        found.set(name, {
          user: name,
          tenant: tenantIn(config.filter_subject ?? config.filter_subjects?.[0]),
          waiting: before.waiting + num_pending,
          unacknowledged: before.unacknowledged + num_ack_pending,
        });
      }
    }
    return [...found.values()];
  });
}

/** Until an unacknowledged message is handed out again, ms. */
const ackWait = 60_000;

const filterOf = (tenant: string): string => `loom.*.*.${tenant}.>`;
const tenantIn = (filter = ''): string | null => /^loom\.\*\.\*\.([^.]+)\.>$/.exec(filter)?.[1] ?? null;

const streamsOf = ({ streams = 4 }: Options): readonly string[] => streamNames(streams);

async function withManager<T>(options: Options, work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const connection: NatsConnection = await connectNats(options);
  try {
    return await work(await jetstreamManager(connection, { checkAPI: false }));
  } finally {
    await connection.close();
  }
}
