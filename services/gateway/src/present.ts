import { isEnd, openBundle } from '@loom/job';
import type { Fact, Item } from '@loom/log';
import type { Bodies } from '@loom/schemas';

/** What never leaves the gateway: keys, and where blobs lie. */
const secret = new Set(['data_key', 'dataKey', 'call_key', 'object', 'request_key', 'requestKey']);
/** Personal data of who made a call: shown to that person alone. */
const personal = new Set(['ip', 'user_agent']);

/** Whether the job's stream of events ends with this fact. */
export const isTerminal = (fact: Fact): boolean => fact.items.some(isEnd);

/** A fact as the API shows it (G9: without keys and places of blobs, personal data to its person alone). A dispatch repeats what its decision said, so it comes without a body; ids then have no holes. */
export function present(fact: Fact, viewer: string) {
  const { seq, type, key, source, id } = fact;
  const head = { seq, type, key, time: new Date(fact.time).toISOString(), source, id };
  if (fact.decision !== null) return { ...head, dispatch: true, decision: fact.decision };
  if (type === 'decision.made') return { ...head, items: fact.items.map((item) => presentItem(item, viewer)) };
  const [own] = fact.items;
  return { ...head, body: own === undefined ? {} : plain(opened(own), viewer) };
}

const presentItem = ({ id, type, key, body }: Item, viewer: string) => ({
  id,
  type,
  key,
  body: plain(opened({ type, body } as Item), viewer),
});

/** A fork's bundle as the facts that it holds, for who folds them without the codec; of a fork's fork the inner one too. */
const opened = ({ type, body }: Pick<Item, 'type' | 'body'>): unknown =>
  type === 'job.forked' ? { ...body, bundle: openBundle(body as Bodies['job.forked']).map(bundled) } : body;

const bundled = (fact: Fact): object => ({
  ...fact,
  items: fact.items.map((item) => ({ ...item, body: opened(item) })),
});

/** Any state or body as JSON: without secrets, bytes as hex, maps as objects, sets as lists. */
export function plain(value: unknown, viewer: string): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return record([...value], viewer);
  if (value instanceof Set) return [...value].map((one) => plain(one, viewer));
  if (Array.isArray(value)) return value.map((one) => plain(one, viewer));
  if (value === null || typeof value !== 'object') return value;
  return record(
    Object.entries(value).filter(([name]) => isShown(name, value, viewer)),
    viewer,
  );
}

const isShown = (name: string, owner: object, viewer: string): boolean =>
  !secret.has(name) && !(personal.has(name) && (owner as { person?: unknown }).person !== viewer);

const record = (entries: readonly (readonly [unknown, unknown])[], viewer: string): Record<string, unknown> =>
  Object.fromEntries(entries.map(([name, one]) => [String(name), plain(one, viewer)]));
