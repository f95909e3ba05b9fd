import { factTypes } from '@loom/schemas';
import type { FactType } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { Address, Source } from './types.ts';

/** Layout generation: partitions, streams and fences stand on it. */
export const generation = 0;
/** Partitions of a generation. */
export const partitions = 64;

const sources: ReadonlySet<string> = new Set<Source>([
  'gateway',
  'orchestrator',
  'agent-runner',
  'sandbox',
  'timer',
  'billing',
  'evals',
  'audit',
  'retention',
  'operator',
]);
const types: ReadonlySet<string> = new Set(factTypes);
const token = /^[a-z0-9_-]{1,160}$/;

const subjectForm = /^loom\.\d+\.\d+\.([a-z0-9_-]+)\.([a-z0-9_-]+)\.([a-z-]+)\.([a-z-]+\.[a-z-]+)\.([a-z0-9_-]+)$/;

/** What a subject says. */
export interface Located extends Address {
  readonly source: Source;
  readonly type: FactType;
  readonly key: string;
}

/** FNV-1a with an avalanche step (32 bit): stable for ever within a generation, because streams are chosen by it. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 0..63: by the job's id, by the tenant for `account` and `system`. */
export function partitionOf(stream: string, tenant: string): number {
  return hash(stream === 'account' || stream === 'system' ? tenant : stream) % partitions;
}

/** Name of the JetStream stream that holds an address when there are `streams` of them. */
export function streamOf(at: Address, streams: number): string {
  return streamName(partitionOf(at.stream, at.tenant) % streams);
}

export const streamName = (index: number): string => `LOOM_EVENTS_${generation}_${index}`;

/**
 * The filter for everything that an event stream holds. The server says with every page how many more facts match: any other filter it holds
 * against each of the stream's subjects for that, nearly one a fact.
 */
export const wholeStream = '>';

export const streamNames = (streams: number): readonly string[] =>
  Array.from({ length: streams }, (_, k) => streamName(k));

/** `loom.<g>.<p>.<tenant>.<stream>`: everything of one address lies below. @throws LoomError `bad_request` for tokens that no subject may hold */
export function prefixOf(at: Address): string {
  const name = `${at.tenant}.${at.stream}`;
  const known = prefixes.get(name);
  if (known !== undefined) return known;
  const made = spell(at);
  if (prefixes.size >= mostPrefixes) prefixes.clear();
  prefixes.set(name, made);
  return made;
}

/** A prefix is asked for several times a fact, and takes a walk over the job's id. */
const prefixes = new Map<string, string>();
const mostPrefixes = 4096;

function spell(at: Address): string {
  if (!token.test(at.tenant) || !token.test(at.stream))
    throw new LoomError('bad_request', 'tenant or stream is no subject token');
  return `loom.${generation}.${partitionOf(at.stream, at.tenant)}.${at.tenant}.${at.stream}`;
}

/** The fence's filter: the one function that spells it, since servers compare filters in flight letter by letter. */
export function decisionFilter(at: Address): string {
  return `${prefixOf(at)}.orchestrator.>`;
}

/** @throws LoomError `bad_request` for a key that no subject may hold */
export function subjectOf(at: Address, source: Source, type: FactType, key: string): string {
  if (!token.test(key)) throw new LoomError('bad_request', 'key is no subject token', { field: 'key' });
  return `${prefixOf(at)}.${source}.${type}.${key}`;
}

/** @throws LoomError `undecodable` for what is no subject of a fact that this version knows */
export function parseSubject(subject: string): Located {
  const parts = subjectForm.exec(subject);
  if (parts !== null) {
    const [, tenant, stream, source, type, key] = parts as unknown as [
      string,
      string,
      string,
      Source,
      FactType,
      string,
    ];
    const located = { tenant, stream, source, type, key };
    if (sources.has(source) && types.has(type) && subjectOf(located, source, type, key) === subject) return located;
  }
  throw new LoomError('undecodable', 'not the subject of a known fact');
}

/** What a sealed field is bound to (with its path): where the fact lies and what it is. */
export function contextOf(at: Address, type: FactType, key: string): string {
  return `${at.tenant}/${at.stream}/${type}/${key}`;
}
