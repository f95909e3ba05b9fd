/** Messages that a service could not handle. */
import { drop, messageOf, parkedMessages, redrive, type Log, type Parked, type RawFact } from '@loom/log';
import { LoomError } from '@loom/service';
import { Failure } from '../failure.ts';
import { tellMessage } from './message-facts.ts';
import { lineOf, times, type Thing } from './thing.ts';

export const messagesOn = async (log: Log): Promise<readonly Thing[]> =>
  (await parkedMessages(log)).map((one) => thingOf(log, one));

function thingOf(log: Log, one: Parked): Thing {
  const { key, at, consumer, state, since } = one;
  const why = one.cause === 'LoomError' ? one.reason : `${one.reason} (${one.cause})`;
  return {
    kind: 'message',
    key,
    at,
    consumer,
    state,
    since,
    record: { kind: 'message', ...one },
    line: lineOf(one, one.changed, `${why}, ${times(one.attempts)}`, one.note),
    show: async (out) => tellMessage(one, await rawOf(log, one), out),
    redrive: async (act) => (await redrive(log, one, act).catch((cause: unknown) => refused(one, cause))).seq,
    drop: async (act) => (await drop(log, one, act).catch((cause: unknown) => refused(one, cause))).seq,
  };
}

/** Null: retention has removed it. */
const rawOf = (log: Log, one: Parked): Promise<RawFact | null> =>
  messageOf(log, one).catch((cause: unknown) => {
    if (LoomError.from(cause).code === 'gone') return null;
    throw cause;
  });

/** @throws Failure 1 with what to do next */
function refused({ key, note }: Parked, cause: unknown): never {
  const { code } = LoomError.from(cause);
  if (code === 'gone')
    throw new Failure(1, `the message of ${key} is not in the log any more`, [`./loom parked drop ${key} --reason …`]);
  if (code === 'message_dropped') throw new Failure(1, `${key} was dropped: ${note}`, ['what was dropped stays so']);
  throw cause;
}
