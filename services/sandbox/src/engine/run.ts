/**
 * Runs one call in one container. Owns the container from the moment it was taken until it is gone.
 *
 * R1. The clock runs outside the container and covers taking it, starting it, the run and fetching the files.
 * R2. However the call ends, its container is killed and removed.
 * R3. Nothing that comes out is trusted: output and archive are capped while they are read, each file is judged by its header.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { programName } from '../domain/call.ts';
import type { Call, WorkspaceFile } from '../domain/call.ts';
import type { Limits } from '../domain/limits.ts';
import { demultiplexer } from '../domain/output.ts';
import type { Frame } from '../domain/output.ts';
import type { Ending, Run } from '../domain/result.ts';
import { transcript } from '../domain/transcript.ts';
import type { Transcript } from '../domain/transcript.ts';
import { packed, unpacking } from './archive.ts';
import type { Unpacking } from './archive.ts';
import type { Workspace } from './docker.ts';
import type { Pool } from './pool.ts';

export interface RunOptions {
  readonly pool: Pick<Pool, 'take'>;
  readonly limits: Limits;
  /** Aborted when the job was killed: the run then ends as `killed`. */
  readonly kill: AbortSignal;
}

/** Runs the code over the inputs and returns what came of it. @throws SandboxUnavailable when there is no container to run it in */
export async function runCode(
  call: Call,
  inputs: readonly WorkspaceFile[],
  { pool, limits, kill }: RunOptions,
): Promise<Run> {
  const began = performance.now();
  const clock = AbortSignal.timeout(limits.wallClockMs);
  const stop = AbortSignal.any([clock, kill]);
  const nonce = randomBytes(16).toString('hex');
  const heard = transcript(nonce, limits.outputBytes);
  const files = unpacking(limits);
  const main = programName(
    call,
    inputs.map(({ path }) => path),
  );
  const request = { nonce, language: call.language, main };
  const program = { path: main, content: Buffer.from(call.code) };
  const ended = await attempt(pool, request, [...inputs, program], { heard, files, limits, stop });
  const { files: taken, skipped } = await files.end();
  const ending: Ending = kill.aborted
    ? { kind: 'killed' }
    : clock.aborted && ended.kind !== 'exited'
      ? { kind: 'timeout' }
      : ended;
  return {
    ending,
    stdout: heard.stdout(),
    stderr: heard.stderr(),
    seconds: (performance.now() - began) / 1000,
    files: ending.kind === 'exited' ? changed(taken, inputs) : [],
    skipped: [...(heard.ended()?.skipped ?? []), ...skipped],
  };
}

interface Channel {
  readonly heard: Transcript;
  readonly files: Unpacking;
  readonly limits: Limits;
  readonly stop: AbortSignal;
}

interface Request {
  readonly nonce: string;
  readonly language: Call['language'];
  readonly main: string;
}

async function attempt(
  pool: RunOptions['pool'],
  request: Request,
  files: readonly WorkspaceFile[],
  channel: Channel,
): Promise<Ending> {
  const workspace = await takeInTime(pool, channel.stop);
  if (workspace === null) return { kind: 'timeout' };
  try {
    await converse(workspace, request, files, channel);
  } finally {
    void workspace.destroy();
  }
  return endingOf(channel.heard);
}

/** Null when the clock or a kill was faster; the container that comes too late is removed. */
async function takeInTime(pool: RunOptions['pool'], stop: AbortSignal): Promise<Workspace | null> {
  const taking = pool.take().then(({ workspace }) => workspace);
  const workspace = await Promise.race([taking, aborted(stop).then(() => null)]);
  if (workspace === null) taking.then((late) => void late.destroy()).catch(() => {});
  return workspace;
}

/** Hands over the request and reads until the stream ends, the clock stops it, or a cap is passed. */
async function converse(
  { socket }: Workspace,
  request: Request,
  files: readonly WorkspaceFile[],
  channel: Channel,
): Promise<void> {
  const { heard, files: out, limits, stop } = channel;
  const demultiplex = demultiplexer();
  let archived = 0;
  const { promise: over, resolve: finish } = Promise.withResolvers<void>();
  const take = (frame: Frame): void => {
    const bytes = heard.feed(frame);
    archived += bytes?.length ?? 0;
    if (heard.flooded() || archived > archiveCap(limits)) finish();
    else if (bytes !== null) out.write(bytes);
  };
  socket.on('data', (chunk: Uint8Array) => demultiplex(chunk).forEach(take));
  socket.once('end', finish).once('close', finish);
  stop.addEventListener('abort', () => finish(), { once: true });
  if (stop.aborted || socket.destroyed || socket.readableEnded) finish();
  socket.resume();
  const sent = send(socket, request, files, stop);
  await over;
  socket.destroy();
  await sent;
}

async function send(
  socket: Workspace['socket'],
  request: Request,
  files: readonly WorkspaceFile[],
  signal: AbortSignal,
): Promise<void> {
  try {
    const pieces = await packed(files);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const header = Buffer.from(`${JSON.stringify({ ...request, bytes })}\n`);
    await pipeline(Readable.from([header, ...pieces]), socket, { end: false, signal });
  } catch {
    // The container ended while it was written to, or the clock did it: what was heard tells how the call ended.
  }
}

function endingOf(heard: Transcript): Ending {
  const ended = heard.ended();
  if (heard.flooded()) return { kind: 'output_limit' };
  if (ended === null) return { kind: 'vanished' };
  if (ended.error !== null) return { kind: 'no_space' };
  return ended.exit === null ? { kind: 'vanished' } : { kind: 'exited', exitCode: ended.exit };
}

/** Files that the code wrote: an input that lies under final/ unchanged is none. */
function changed(files: readonly WorkspaceFile[], inputs: readonly WorkspaceFile[]): readonly WorkspaceFile[] {
  return files.filter(
    ({ path, content }) => !inputs.some((input) => input.path === path && Buffer.compare(input.content, content) === 0),
  );
}

/** Contents, and at most 2 KiB of headers and padding a file. */
const archiveCap = (limits: Limits): number => limits.filesBytes + limits.files * 2048 + 10_240;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
