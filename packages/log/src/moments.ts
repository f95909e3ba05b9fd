/** Moments that a benchmark in the same process may listen for, by `node:diagnostics_channel`; the message is the fact's subject, or `<durable> <subject>`. */
import { channel } from 'node:diagnostics_channel';

const appending = channel('loom:append');
const delivered = channel('loom:deliver');

/** An append begins. */
export function tellAppend(subject: string): void {
  if (appending.hasSubscribers) appending.publish(subject);
}

/** A durable's message has come in. */
export function tellDelivery(durable: string, subject: string): void {
  if (delivered.hasSubscribers) delivered.publish(`${durable} ${subject}`);
}
