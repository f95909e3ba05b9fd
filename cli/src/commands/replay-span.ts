/** `./loom replay --since … --to …`: a span of the whole log, served again in order, with nothing that acts on it. */
import type { Span } from '@loom/log';
import type { Reached } from '../check/stack.ts';
import { LoomError } from '@loom/service';
import { resolve } from 'node:path';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import type { Copied, Target } from '../span/copy.ts';

export interface SpanOptions {
  readonly since?: string;
  readonly until?: string;
  readonly tenant?: string;
  readonly to?: string;
  readonly rate?: string;
  readonly verify?: boolean;
}

interface Wish {
  readonly span: Span;
  /** `until` was given: it holds though an earlier run said otherwise. */
  readonly bounded: boolean;
  readonly rate: number | null;
  readonly to: { readonly stream: string } | { readonly dir: string };
}

/** @throws Failure 2 */
function wishOf({ until, to = '', rate, ...options }: SpanOptions): Wish {
  const stream = /^stream:(.*)$/.exec(to)?.[1];
  if (to === '') throw new Failure(2, '--to takes a folder or stream:NAME');
  return {
    span: spanOf({ ...options, ...(until === undefined ? {} : { until }) }),
    bounded: until !== undefined,
    rate: rate === undefined ? null : rateOf(rate),
    to: stream === undefined ? { dir: resolve(to) } : { stream },
  };
}

/** @throws Failure 2 */
function spanOf({ since, until, tenant }: SpanOptions): Span {
  if (since === undefined) throw new Failure(2, '--to serves a span again: say --since T', [`T: ${timeForm}`]);
  if (tenant !== undefined && !/^[a-z0-9_-]{1,160}$/.test(tenant)) throw new Failure(2, `${tenant} is no tenant`);
  const now = Date.now();
  const times = { since: timeOf('--since', since), until: until === undefined ? now : timeOf('--until', until) };
  if (times.since >= times.until) throw new Failure(2, '--since lies at or after --until');
  if (times.until > now) throw new Failure(2, '--until lies in the future: what is copied has to be there');
  return tenant === undefined ? times : { ...times, tenant };
}

const timeForm = 'a time like 2026-11-20T10:00:00Z';

function timeOf(option: string, text: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new Failure(2, `${option} takes ${timeForm}, not ${text}`);
  return time;
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 1_000_000) return rate;
  throw new Failure(2, '--rate takes facts a second, above 0');
}

export async function replaySpan(options: SpanOptions, out: Output): Promise<void> {
  const wish = wishOf(options);
  const [{ operatorOn, putOnRecord }, { copySpan, verifyCopies }] = await Promise.all([
    import('../check/stack.ts'),
    import('../span/copy.ts'),
  ]);
  // Nothing is opened: the act itself is on record under the operator's key.
  const reached = await operatorOn(homeOf(process.env), true);
  await using log = reached.log;
  const { span, target: opened } = await targetOf(wish, reached);
  await using target = opened;
  await putOnRecord(log, 'loom replay --to', `${options.to} ${spelled(span)}`);
  const task = out.task(`replay of ${spelled(span)}`);
  let told = 0;
  const onProgress = (copied: number, time: number): void => {
    if (performance.now() - told < 1000) return;
    told = performance.now();
    task.at((time - span.since) / (span.until - span.since), `${copied} facts, at ${new Date(time).toISOString()}`);
  };
  const copied = await copySpan(log, span, target, { rate: wish.rate, onProgress }).catch((cause: unknown) => {
    task.failed('the same command goes on where it ended');
    throw cause;
  });
  task.done(`${copied.facts} facts`);
  const verified = options.verify === true ? await verifyCopies(target.read()) : null;
  tell({ span, to: options.to ?? '', copied, verified }, out);
}

const spelled = ({ since, until, tenant }: Span): string =>
  `${new Date(since).toISOString()} to ${new Date(until).toISOString()}${tenant === undefined ? '' : ` of ${tenant}`}`;

/** Without `--until` a folder goes on with the end that it was begun with. */
async function targetOf(
  { span, bounded, to }: Wish,
  { up, secrets }: Reached,
): Promise<{ span: Span; target: Target }> {
  if ('stream' in to) {
    const { streamTarget } = await import('../span/stream.ts');
    const { natsUrl: servers, streams } = up;
    const password = secrets.nats?.['setup'] ?? '';
    const options = { servers, password, streams, name: to.stream, span, bounded };
    const target = await streamTarget(options).catch(badName);
    return { span: target.span, target };
  }
  const [{ folderTarget }, { spanIn }] = await Promise.all([
    import('../span/folder.ts'),
    import('../span/manifest.ts'),
  ]);
  const begun = bounded ? null : await spanIn(to.dir);
  const own = begun === null ? span : { ...span, until: begun.until };
  return { span: own, target: await folderTarget(to.dir, own) };
}

function badName(cause: unknown): never {
  if (cause instanceof LoomError && cause.code === 'bad_request') throw new Failure(2, cause.message, [], { cause });
  throw cause;
}

interface Told {
  readonly span: Span;
  readonly to: string;
  readonly copied: Copied;
  readonly verified: number | null;
}

function tell({ span, to, copied: { gaps, ...counts }, verified }: Told, out: Output): void {
  for (const gap of gaps) {
    out.record({ gap });
    out.note(`${gap.stream} ${gap.from === gap.to ? gap.to : `${gap.from} to ${gap.to}`}: no longer kept`);
  }
  const { since, until, tenant = null } = span;
  const times = { since: new Date(since).toISOString(), until: new Date(until).toISOString(), tenant };
  out.record({ to, ...times, ...counts, gaps: gaps.length, verified });
  const again = verified === null ? '' : `; read back: ${verified}, each with its sum`;
  out.print(`${to}: ${counts.facts} facts, ${counts.copied} of them now${again}`);
}
