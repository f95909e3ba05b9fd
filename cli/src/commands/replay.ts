/** `./loom replay JOB`: a job as it stood at any of its facts, and the proof that it went as its facts say. */
import { foldJob } from '@loom/job';
import { lastSeqOf, parseSubject, readRaw, streamOf, type Address, type Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { layout } from '../stack/files.ts';
import { act, type Register } from './command.ts';
import { replaySpan, type SpanOptions } from './replay-span.ts';

interface ReplayOptions extends SpanOptions {
  readonly at?: string;
}

const jobForm = /^job_[a-z0-9_-]{1,64}$/;

function seqOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Failure(2, `--at takes a sequence of the log, not ${text}`, ['./loom events --job JOB shows them']);
}

interface Found {
  readonly at: Address;
  /** Last sequence to be looked at. */
  readonly upto: number;
}

/** @throws Failure 1 for a job that is not there, 2 for a sequence before its first */
async function find(log: Log, id: string, seq: number | null): Promise<Found> {
  const stream = streamOf({ tenant: '_', stream: id }, log.streams.length);
  const first = await readRaw(log, stream, { job: id }).next();
  if (first.done === true) throw new Failure(1, `there is no ${id}`, ['./loom jobs lists them']);
  const begins = first.value.seq;
  if (seq !== null && seq < begins) throw new Failure(2, `${id} begins at sequence ${begins}`);
  const { tenant } = parseSubject(first.value.subject);
  return { at: { tenant, stream: id }, upto: seq ?? (await lastSeqOf(log, stream)) };
}

async function replay(id: string, options: ReplayOptions, out: Output): Promise<void> {
  const seq = seqOf(options.at);
  if (!jobForm.test(id)) throw new Failure(2, `${id} is no id of a job`, ['./loom jobs lists them']);
  const { operatorOn, putOnRecord } = await import('../check/stack.ts');
  const home = homeOf(process.env);
  await using log = (await operatorOn(home, true)).log;
  const found = await find(log, id, seq);
  await putOnRecord(log, options.verify ? 'loom replay --verify' : 'loom replay', id);
  if (options.verify) await proven(log, found, layout(home).rootKey, out);
  else await shown(log, found, out);
}

async function shown(log: Log, { at, upto }: Found, out: Output): Promise<void> {
  const { tellState } = await import('./replay-state.ts');
  tellState(await foldJob(log, at, upto), out);
}

async function proven(log: Log, { at, upto }: Found, rootKeyFile: string, out: Output): Promise<void> {
  const { tellVerified, verify } = await import('./replay-verify.ts');
  const verified = await verify(at, { log, rootKeyFile, upto });
  tellVerified(at.stream, verified, out);
  const { broken } = verified;
  if (broken !== null) throw new Failure(1, `${at.stream} differs at sequence ${broken.seq}: ${broken.message}`);
}

function replayEither(job: string | undefined, options: ReplayOptions, out: Output): Promise<void> {
  const { since, until, tenant, to, rate, at } = options;
  const ofSpan = [since, until, tenant, to, rate].some((one) => one !== undefined);
  if (!ofSpan && job !== undefined) return replay(job, options, out);
  if (!ofSpan) throw new Failure(2, 'name a job, or a span by --since and --to', ['./loom replay --help']);
  if (job !== undefined || at !== undefined) throw new Failure(2, 'a span goes without a job and without --at');
  return replaySpan(options, out);
}

/** A log or key that cannot be reached is a missing part; a key that was destroyed leaves nothing to show. */
function failureOf(cause: unknown): unknown {
  if (!(cause instanceof LoomError)) return cause;
  const { code, message } = cause;
  if (code === 'log_unavailable' || code === 'root_key_unreadable')
    return new Failure(3, message, ['./loom doctor shows what is missing'], { cause });
  if (code !== 'key_destroyed') return cause;
  const hint = '--verify still holds its sums and chains';
  return new Failure(1, "the job's key was destroyed: its state cannot be folded any more", [hint], { cause });
}

export const replayCommand: Register = (program) => {
  const command = program
    .command('replay')
    .description('a job as it stood at any of its facts, which opens content; or a span of the log, served again')
    .argument('[job]', 'a job; none with --to')
    .option('--at <seq>', 'the state up to this sequence of the log; default: now')
    .option(
      '--verify',
      'make every decision, model request and tool input again and compare byte for byte; with --to: read the copies back',
    )
    .option('--to <where>', 'serve a span again: into a folder, or stream:NAME, a scratch stream; run again it goes on')
    .option('--since <time>', 'with --to: from the first fact at or after it')
    .option('--until <time>', 'with --to: up to before it; default: now')
    .option('--tenant <name>', 'with --to: of this tenant alone')
    .option('--rate <n>', 'with --to: facts a second, at most');
  act<ReplayOptions>(
    command,
    [
      './loom replay job_0… --at 42',
      './loom replay job_0… --verify --json',
      './loom replay --since 2026-11-20T10:00:00Z --until 2026-11-20T11:00:00Z --to incident --verify',
      './loom replay --since 2026-11-20 --tenant tacme --to stream:incident --rate 500',
    ],
    ({ args, options, out }) =>
      replayEither(args[0], options, out).catch((cause: unknown) => {
        throw failureOf(cause);
      }),
  );
};
