/**
 * What every process tells of itself, whatever it serves: memory, event loop, the errors that it made, what its durables brought.
 * V1  Counted where it happens by a number in a map; attributes are made at a scrape alone, so that a fact costs next to nothing.
 * V2  What an alert waits for is there from the start, as 0: a counter that is born with its first event shows no rise.
 */
import { subscribe } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { errorTable } from './error-table.ts';
import { errorsMade } from './errors.ts';
import { metrics } from './metrics.ts';

/** Deliveries by `<durable> <noun.verb>`. */
const delivered = new Map<string, number>();

/** More names than there are types of facts, by durable: whatever comes beyond is no fact of ours. */
const mostNames = 2000;

/** `<durable> loom.<g>.<p>.<tenant>.<stream>.<source>.<noun>.<verb>.<key>`, as the log tells it at each delivery; timers are passed over. */
function count(message: unknown): void {
  const [about = '', , , , , , noun, verb] = String(message).split('.', 8);
  if (!about.endsWith(' loom')) return;
  const name = `${about.slice(0, -5)} ${noun}.${verb}`;
  const before = delivered.get(name);
  if (before !== undefined || delivered.size < mostNames) delivered.set(name, (before ?? 0) + 1);
}

let begun = false;

/** Begins to count; again: nothing. */
export function vitals(): void {
  if (begun) return;
  begun = true;
  subscribe('loom:deliver', count);
  let loop = performance.eventLoopUtilization();
  const gauges = {
    'process.memory.usage_bytes': 'Resident memory of the process.',
    'nodejs.eventloop.utilization': 'Share of the time since the last scrape in which the event loop was busy.',
  };
  metrics.observe('Gauge', gauges, (tell) => {
    const now = performance.eventLoopUtilization();
    tell('process.memory.usage_bytes', process.memoryUsage.rss());
    tell('nodejs.eventloop.utilization', performance.eventLoopUtilization(now, loop).utilization);
    loop = now;
  });
  metrics.observe('Counter', { 'loom.errors': 'Errors that this process made, by code.' }, (tell) => {
    for (const code of Object.keys(errorTable)) tell('loom.errors', errorsMade.get(code) ?? 0, { code });
  });
  const consumed = { 'messaging.client.consumed.messages': 'Facts that came in, by durable and type.' };
  metrics.observe('Counter', consumed, (tell) => {
    for (const [name, n] of delivered) tell('messaging.client.consumed.messages', n, attributesOf(name));
  });
}

const attributesOf = (name: string): Record<string, string> => {
  const [durable = '', fact = ''] = name.split(' ');
  return { 'messaging.system': 'nats', 'messaging.consumer.group.name': durable, 'loom.fact': fact };
};

/** Shows a durable's parked messages as 0 before the first one (V2). */
export function expectFacts(durable: string): void {
  const name = `${durable} message.parked`;
  delivered.set(name, delivered.get(name) ?? 0);
}
