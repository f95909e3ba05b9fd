/** `./loom events`: the log as lines or as an Avro container file, clear fields only. */
import { eventOf, readRaw, type Log } from '@loom/log';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { operatorOn } from '../check/stack.ts';
import { sinkOf, type Sink } from '../events/sinks.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { act, type Register } from './command.ts';

interface EventsOptions {
  readonly job?: string;
  readonly from?: string;
  readonly follow?: boolean;
  readonly format?: string;
}

/** One position a stream, as it is printed and taken: `0:17,1:4`. */
type Cursor = Map<string, number>;

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

async function pass(log: Log, job: string | undefined, cursor: Cursor, since: number, sink: Sink): Promise<void> {
  for (const stream of log.streams) {
    const after = cursor.get(stream) ?? cursor.get('*') ?? 0;
    for await (const raw of readRaw(log, stream, { after, ...(job === undefined ? {} : { job }) })) {
      cursor.set(stream, raw.seq);
      if (raw.time >= since) await sink.take(eventOf(raw));
    }
  }
  await sink.flush();
}

async function events({ job, from, follow, format }: EventsOptions, out: Output): Promise<void> {
  const { cursor, since } = cursorOf(from);
  if (cursor.has('*') && job === undefined)
    throw new Failure(2, 'a sequence goes with --job: each stream counts its own', [
      'use a time, or the cursor that an earlier call printed',
    ]);
  const sink = sinkOf(format, out);
  const { log: reached } = await operatorOn(homeOf(process.env), false);
  await using log = reached;
  const stop = new AbortController();
  if (follow)
    void once(process, 'SIGINT', { signal: stop.signal }).then(
      () => stop.abort(),
      () => undefined,
    );
  do {
    await pass(log, job, cursor, since, sink);
    if (follow) await sleep(500, undefined, { signal: stop.signal }).catch(() => undefined);
  } while (follow && !stop.signal.aborted);
  stop.abort();
  out.note(`cursor ${[...cursor].map(([stream, seq]) => `${stream}:${seq}`).join(',')}`);
}

export const eventsCommand: Register = (program) => {
  const command = program
    .command('events')
    .description('the log as lines or as an Avro file: every fact with its clear fields, never content')
    .option('--job <id>', 'only this job')
    .option('--from <where>', 'a sequence (with --job), a time, or the cursor printed by an earlier call')
    .option('--follow', 'go on until Ctrl-C')
    .option('--format <format>', 'json: a line a fact; avro: a container file on stdout (docs/events.md)');
  act<EventsOptions>(
    command,
    [
      './loom events --job job_0…',
      './loom events --from 2026-11-20T10:00:00Z --follow --json',
      './loom events --format avro > events.avro',
    ],
    ({ options, out }) => events(options, out),
  );
};
