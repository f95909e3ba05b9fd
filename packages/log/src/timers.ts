/**
 * Timers as scheduled messages in `LOOM_TIMERS`. The truth about a timer is the fold that wants it; a lost one is armed again.
 * T1  One timer a subject: arming again replaces it.
 * T2  A fired timer lies in the work queue until it is acked, then it is gone.
 */
import { LoomError } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { Block } from './block.ts';
import { timerConsumer, timerStream } from './consumers.ts';
import { run } from './consume.ts';
import type { Verdict } from './hands.ts';
import type { Timer } from './port.ts';
import type { Delivered } from './pull.ts';
import { partitionOf } from './subjects.ts';
import { publish } from './transport.ts';
import type { Address } from './types.ts';

const token = /^[a-z0-9_-]+$/;
const width = 16;

/** @throws LoomError `bad_request`, `log_unavailable` */
export async function armTimer(connection: NatsConnection, at: Address, timer: Timer, patience: number): Promise<void> {
  if (!/^[a-z]+$/.test(timer.kind) || !token.test(timer.key)) throw new LoomError('bad_request', 'no name for a timer');
  const place = `${partitionOf(at.stream, at.tenant)}.${at.tenant}.${at.stream}.${timer.kind}-${timer.key}`;
  const headers = new Block([
    ['Nats-Schedule', `@at ${new Date(timer.dueMs).toISOString()}`],
    ['Nats-Schedule-Target', `fired.${place}`],
  ]);
  const body = Buffer.from(JSON.stringify({ due: timer.dueMs }));
  await publish(connection, { subject: `timers.${place}`, body, headers }, patience);
}

export async function consumeTimers(
  connection: NatsConnection,
  handle: (at: Address, timer: Timer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const work = async (message: Delivered): Promise<Verdict> => {
    const fired = parse(message);
    if (fired === null) return 'term';
    await handle(fired.at, fired.timer);
    return 'ack';
  };
  await run(connection, { durable: timerConsumer, streams: [timerStream], leased: false, width, signal }, work);
}

function parse(message: Delivered): { readonly at: Address; readonly timer: Timer } | null {
  const [, , tenant, stream, name = ''] = message.subject.split('.');
  const dash = name.indexOf('-');
  if (tenant === undefined || stream === undefined || dash < 1) return null;
  const { due } = JSON.parse(Buffer.from(message.body).toString()) as { readonly due: number };
  return { at: { tenant, stream }, timer: { kind: name.slice(0, dash), key: name.slice(dash + 1), dueMs: due } };
}
