/** Copies a span in a process that kills itself a moment after it has copied so many facts: `copy-once.ts NATS_URL WHERE SINCE UNTIL RATE KILL_AT`; WHERE is a folder or stream:NAME. */
import { connectLog } from '@loom/log';
import { passwordOf } from '../../../packages/log/test/world.ts';
import { copySpan } from '../../src/span/copy.ts';
import { folderTarget } from '../../src/span/folder.ts';
import { streamTarget } from '../../src/span/stream.ts';

const [servers = '', where = '', since, until, rate, killAt] = process.argv.slice(2);
const span = { since: Number(since), until: Number(until) };
const log = await connectLog({ servers, user: 'operator', password: passwordOf('operator'), source: 'operator' });
const name = /^stream:(.*)$/.exec(where)?.[1];
const scratch = { servers, password: passwordOf('setup'), streams: log.streams.length, span, bounded: true };
const target = name === undefined ? await folderTarget(where, span) : await streamTarget({ ...scratch, name });
/** Nobody outside could: by the time that a busy machine let him, all might be copied. */
const onProgress = (copied: number): void => {
  if (copied >= Number(killAt)) setTimeout(() => process.kill(process.pid, 'SIGKILL'), Math.random() * 20);
};
await copySpan(log, span, target, { rate: Number(rate) || null, onProgress });
process.exit();
