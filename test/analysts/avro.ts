/** An implementation of Avro that is none of ours reads container files and raw messages, by docs/events.md alone. */
import { findPythonAvro } from '@loom/cli';
import { eventOf, readRaw, type RawFact } from '@loom/log';
import { schemas, type LogEvent } from '@loom/schemas';
import { operatorLog } from '@loom/test';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { loom, secret, type Test, type World } from './world.ts';

type Body = Readonly<Record<string, unknown>>;

/** A record as Python read it. */
interface Named {
  readonly name: string;
  readonly record: Body;
}
interface Context {
  readonly raw: readonly RawFact[];
  readonly file: Buffer;
  readonly lines: readonly object[];
  readonly read: { readonly events: readonly { readonly time: number }[]; readonly facts: readonly Named[] };
}

async function everythingOf(world: World): Promise<Context> {
  const { exit, out: file, err } = await loom(world, ['events', '--format', 'avro']);
  assert.is(exit, 0, err);
  const lines = (await loom(world, ['events', '--format', 'json'])).lines();
  const raw = await written(world, file);
  return { file, lines, raw, read: await python(world, raw.length) };
}

/** The file, every message's body, and the schemas as the bucket holds them, in the world's folder. */
async function written({ system, folder }: World, file: Buffer): Promise<RawFact[]> {
  await using log = await operatorLog(system);
  await writeFile(join(folder, 'events.avro'), file);
  await mkdir(join(folder, 'schemas'));
  for (const hex of schemas.keys()) {
    const { data } = await log.connection.request(`$JS.API.DIRECT.GET.KV_loom_schemas.$KV.loom_schemas.${hex}`);
    await writeFile(join(folder, 'schemas', `${hex}.avsc`), data);
  }
  const raw: RawFact[] = [];
  for (const stream of log.streams) for await (const fact of readRaw(log, stream)) raw.push(fact);
  for (const [at, { body }] of raw.entries()) await writeFile(join(folder, `${at}.bin`), body);
  return raw;
}

async function python({ folder }: World, count: number): Promise<Context['read']> {
  const reader = new URL('python/read_events.py', import.meta.url).pathname;
  const bodies = Array.from({ length: count }, (_, at) => join(folder, `${at}.bin`));
  const args = [reader, join(folder, 'schemas'), join(folder, 'events.avro'), ...bodies];
  const { stdout } = await promisify(execFile)(await findPythonAvro(), args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Context['read'];
}

function readsFile({ read, lines, raw }: Context): void {
  assert.ok(raw.length > 60, `${raw.length} facts`);
  assert.is(lines.length, raw.length);
  const events = read.events.map((event) => ({ ...event, time: new Date(event.time).toISOString() }));
  assert.equal(events, lines);
}

function readsMessages({ read, raw }: Context): void {
  const types = new Set<string>();
  for (const [at, fact] of raw.entries()) {
    const { items, decision } = eventOf(fact);
    const counted = countedOf(fact, read.facts[at]);
    if (decision === null) assert.is(counted.length, items.length);
    for (const [i, { type, body }] of items.entries()) {
      types.add(type);
      assert.equal(kept(counted[i]?.record, plain(body)), plain(body), `${fact.stream} ${fact.seq} ${type}`);
    }
  }
  assert.ok(types.size >= 12, [...types].join(', '));
}

function countedOf({ subject }: RawFact, read: Named | undefined): readonly Named[] {
  assert.ok(read, subject);
  if (!subject.includes('.decision.made.')) return [read];
  return (read.record['items'] as { body: Named }[]).map(({ body }) => body);
}

function readsNoContent({ read, raw, file }: Context): void {
  const submitted = raw.findIndex(({ subject }) => subject.includes('.job.submitted.'));
  const brief = String(read.facts[submitted]?.record['brief']);
  assert.match(brief, /^01[0-9a-f]{60,}$/);
  assert.not.match(Buffer.from(brief, 'hex').toString('latin1'), secret);
  const shown = JSON.stringify(read.events);
  for (const word of [secret, '"brief"', '"text"', '"args"', '"ip"']) assert.not.match(shown, word);
  assert.not.match(file.toString('latin1'), secret);
}

/** What the second implementation of Avro is shown, and what it makes of it. */
export function avroTests(test: Test): void {
  let all: Context;
  test('python3-avro reads the container file as the JSON lines say it', async ({ world }) => {
    all = await everythingOf(world);
    readsFile(all);
  });
  test('python3-avro reads every raw message with the schema that its fingerprint names, items of decisions too', () =>
    readsMessages(all));
  test('content is in neither: sealed fields are bytes that say nothing, and the file has none', () =>
    readsNoContent(all));
}

const plain = (body: LogEvent['items'][number]['body']): Body =>
  JSON.parse(JSON.stringify(body), (_, value: unknown) =>
    isBuffer(value) ? Buffer.from(value.data).toString('hex') : value,
  ) as Body;
const isBuffer = (value: unknown): value is { data: number[] } =>
  typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';

/** What of `record` the clear body has as well. */
function kept(record: unknown, body: unknown): unknown {
  if (typeof record !== 'object' || typeof body !== 'object' || record === null || body === null) return record;
  if (Array.isArray(record)) return record.map((one, i) => kept(one, (body as unknown[])[i]));
  return Object.fromEntries(Object.entries(body).map(([name, one]) => [name, kept((record as Body)[name], one)]));
}
