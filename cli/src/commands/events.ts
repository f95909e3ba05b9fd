/** `./loom events`: the log as lines, clear fields only. */
import { connectLog, type ClearFact, type Log } from '@loom/log';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { layout, readIfThere, type Secrets } from '../stack/files.ts';
import { runningStack } from '../stack/state.ts';
import { act, type Register } from './command.ts';

interface EventsOptions {
  readonly job?: string;
  readonly from?: string;
  readonly follow?: boolean;
}

/** One position a stream, as it is printed and taken: `0:17,1:4`. */
type Cursor = Map<string, number>;

async function operatorLog(): Promise<Log> {
  const home = homeOf(process.env);
  const up = await runningStack(home);
  if (!up) throw new Failure(3, 'no Loom is up on this data folder', ['./loom up starts one']);
  const secrets = JSON.parse((await readIfThere(layout(home).secrets)) ?? '{}') as Partial<Secrets>;
  return connectLog({
    servers: up.natsUrl,
    streams: up.streams,
    user: 'operator',
    password: secrets.nats?.['operator'] ?? '',
    source: 'operator',
  });
}

function cursorOf(from: string | undefined): { cursor: Cursor; since: number } {
  if (from === undefined) return { cursor: new Map(), since: 0 };
  if (/^\d+$/.test(from)) return { cursor: new Map([['*', Number(from) - 1]]), since: 0 };
  const parts = [...from.matchAll(/(LOOM_EVENTS_\d+_\d+):(\d+)/g)];
  if (parts.length > 0)
    return { cursor: new Map(parts.map(([, stream = '', seq]) => [stream, Number(seq)])), since: 0 };
  const since = Date.parse(from);
  if (Number.isNaN(since))
    throw new Failure(
      2,
      `--from takes a sequence (with --job), a time like 2026-11-20T10:00:00Z or a printed cursor, not ${from}`,
    );
  return { cursor: new Map(), since };
}

const plain = (_name: string, value: unknown): unknown =>
  value instanceof Uint8Array ||
  (typeof value === 'object' && value !== null && (value as { type?: string }).type === 'Buffer')
    ? undefined
    : value;

function show(fact: ClearFact, out: Output): void {
  const { seq, time, tenant, stream, source, type, key, items } = fact;
  const line = {
    seq,
    time: new Date(time).toISOString(),
    tenant,
    stream,
    source,
    type,
    key,
    items: items.map((item) => ({ type: item.type, key: item.key, body: item.body })),
  };
  out.record(JSON.parse(JSON.stringify(line, plain)) as object);
  out.print(
    `${line.time} ${String(seq).padStart(7)} ${stream} ${source.padEnd(12)} ${type} ${key}${items.length > 1 ? `  [${items.map((item) => item.type).join(', ')}]` : ''}`,
  );
}

async function pass(log: Log, options: EventsOptions, cursor: Cursor, since: number, out: Output): Promise<void> {
  for (const stream of log.streams) {
    const after = cursor.get(stream) ?? cursor.get('*') ?? 0;
    for await (const fact of log.tail(stream, { after, ...(options.job === undefined ? {} : { job: options.job }) })) {
      cursor.set(stream, fact.seq);
      if (fact.time >= since) show(fact, out);
    }
  }
}

async function events(options: EventsOptions, out: Output): Promise<void> {
  const { cursor, since } = cursorOf(options.from);
  if (cursor.has('*') && options.job === undefined)
    throw new Failure(2, 'a sequence goes with --job: each stream counts its own', [
      'use a time, or the cursor that an earlier call printed',
    ]);
  await using log = await operatorLog();
  const stop = new AbortController();
  if (options.follow)
    void once(process, 'SIGINT', { signal: stop.signal }).then(
      () => stop.abort(),
      () => undefined,
    );
  do {
    await pass(log, options, cursor, since, out);
    if (options.follow) await sleep(500, undefined, { signal: stop.signal }).catch(() => undefined);
  } while (options.follow && !stop.signal.aborted);
  stop.abort();
  out.note(`cursor ${[...cursor].map(([stream, seq]) => `${stream}:${seq}`).join(',')}`);
}

export const eventsCommand: Register = (program) => {
  const command = program
    .command('events')
    .description('the log as lines: every fact with its clear fields, never content')
    .option('--job <id>', 'only this job')
    .option('--from <where>', 'a sequence (with --job), a time, or the cursor printed by an earlier call')
    .option('--follow', 'go on until Ctrl-C');
  act<EventsOptions>(
    command,
    ['./loom events --job job_0…', './loom events --from 2026-11-20T10:00:00Z --follow --json'],
    ({ options, out }) => events(options, out),
  );
};
