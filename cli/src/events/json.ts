/** An event as a JSON line: time as RFC 3339, bytes as hex. */
import type { LogEvent } from '@loom/schemas';

export const jsonOf = (event: LogEvent): object => ({
  ...(plain(event) as LogEvent),
  time: new Date(event.time).toISOString(),
});

export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}
