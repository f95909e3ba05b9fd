/** Where `./loom events` puts what it reads: lines for people, JSON lines, or an Avro container file on stdout. */
import { eventContainer, type LogEvent } from '@loom/schemas';
import { once } from 'node:events';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { jsonOf } from './json.ts';

export interface Sink {
  take(event: LogEvent): Promise<void>;
  /** What was taken can be read from here on. */
  flush(): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

/** @throws Failure 2 for a format that there is none, or that does not go with the rest */
export function sinkOf(format: string | undefined, out: Output): Sink {
  if (format === undefined)
    return out.json ? jsonLines() : { take: async (event) => out.print(lineOf(event)), flush: nothing };
  if (format === 'json') return jsonLines();
  if (format !== 'avro') throw new Failure(2, `--format takes json or avro, not ${format}`);
  if (out.json) throw new Failure(2, 'an Avro file is no JSON lines', ['leave out --json, or use --format json']);
  if (process.stdout.isTTY)
    throw new Failure(2, 'an Avro file is nothing for a terminal', ['… --format avro > events.avro']);
  return avroFile();
}

function lineOf({ seq, time, stream, source, type, key, items }: LogEvent): string {
  const several = items.length > 1 ? `  [${items.map((item) => item.type).join(', ')}]` : '';
  return `${new Date(time).toISOString()} ${String(seq).padStart(7)} ${stream} ${source.padEnd(12)} ${type} ${key}${several}`;
}

const jsonLines = (): Sink => ({ take: (event) => write(`${JSON.stringify(jsonOf(event))}\n`), flush: nothing });

/** Events a block: a reader that follows waits for the end of a pass at most. */
const most = 500;

function avroFile(): Sink {
  const file = eventContainer();
  let begun = false;
  const held: LogEvent[] = [];
  const flush = async (): Promise<void> => {
    const block = file.block(held.splice(0));
    await write(begun ? block : Buffer.concat([file.head, block]));
    begun = true;
  };
  return {
    flush,
    async take(event) {
      held.push(event);
      if (held.length >= most) await flush();
    },
  };
}

/** Waits for a reader that is slower than the log. */
async function write(bytes: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}
