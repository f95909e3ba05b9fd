/**
 * `run.requested` → a run → `workspace.closed` and `tool.settled`.
 *
 * C1. Whatever the code does, its slot is settled once: the first outcome wins, a later one is on record as `tool.called`.
 * C2. Nothing runs for a job that was killed, or after the request's deadline.
 * C3. A run that is paid for is claimed first; a claim of another is waited for, never run beside.
 * C4. Content is read and written under the call's own key alone.
 * C5. For a playback nothing is claimed or run: the outcome comes with the call, or the call is refused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Blobs } from '@loom/blobs';
import { toolInput } from '@loom/job';
import type { Address, Fact, Log, Replay } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { LoomError, crashpoint, inSpan } from '@loom/service';
import { missingFiles, parseCall } from '../domain/call.ts';
import type { Call, WorkspaceFile } from '../domain/call.ts';
import { isSafePath, mediaType } from '../domain/files.ts';
import type { Limits } from '../domain/limits.ts';
import { resultText, verdict } from '../domain/result.ts';
import type { Run } from '../domain/result.ts';
import { SandboxUnavailable } from '../engine/docker.ts';
import { runCode } from '../engine/run.ts';
import type { Pool } from '../engine/pool.ts';
import type { Kills } from './kills.ts';
import { durations, outcomes } from './outcomes.ts';

export interface Parts {
  readonly log: Pick<Log, 'append' | 'now'>;
  readonly blobs: Pick<Blobs, 'get' | 'put'>;
  readonly pool: Pick<Pool, 'take'>;
  readonly kills: Kills;
  readonly limits: Limits;
  /** Aborted when the process ends before its runs do: their containers go, and the calls come again elsewhere. */
  readonly ending: AbortSignal;
  /** Random id of this process. */
  readonly worker: string;
  /** HMAC of a call's exact input under its own key. */
  readonly hmac: (
    place: { readonly at: Address; readonly key: string; readonly sealed: Uint8Array },
    input: Uint8Array,
  ) => Promise<Buffer>;
}

type Requested = Bodies['run.requested'];
type Settled = Bodies['tool.settled'];

/** What a call came to, before its slot is settled. */
type Outcome = Pick<Settled, 'outcome' | 'code' | 'exit_code' | 'result' | 'files'>;

interface Slot {
  readonly at: Address;
  readonly key: string;
  readonly request: Requested;
  /** Unix ms. */
  readonly deadline: number;
  readonly replay: Replay | undefined;
}

/** Handles one delivery of `run.requested`; resolves once its slot is settled by someone. */
export async function handleCall(parts: Parts, fact: Fact): Promise<void> {
  if (fact.said?.type !== 'run.requested') return;
  const request = fact.said.body;
  const slot = {
    at: { tenant: fact.tenant, stream: fact.stream },
    key: fact.key,
    request,
    deadline: fact.time + request.deadline_ms,
    replay: fact.replay,
  };
  const attributes = { 'loom.job': fact.stream, 'loom.key': fact.key, 'loom.tool': request.tool };
  await inSpan('sandbox run', '', attributes, () => work(parts, slot));
}

async function work(parts: Parts, slot: Slot): Promise<void> {
  if (slot.replay === 'playback') return settle(parts, slot, slot.request.recorded ?? nothingRecorded);
  const began = performance.now();
  const outcome = await outcomeOf(parts, slot);
  const cost_micros = outcome.outcome === 'lost' ? slot.request.reserved_micros : 0;
  await settle(parts, slot, { ...outcome, cost_micros, latency_ms: Math.round(performance.now() - began) });
}

async function outcomeOf(parts: Parts, slot: Slot): Promise<Outcome> {
  const { at, request } = slot;
  const runner = { ...at, agent: request.agent, epoch: request.epoch };
  const guard = parts.kills.guard(runner);
  try {
    if (await parts.kills.killed(runner)) return told('refused', 'killed', 'The job was killed before the code ran.');
    if (parts.log.now() > slot.deadline || !(await claim(parts, slot)))
      return told('lost', 'deadline_passed', 'The call was not run before its deadline.');
    return await execute(parts, slot, guard.signal);
  } finally {
    guard.done();
  }
}

/** False when another worker holds the claim and the deadline has passed; free runs need none. */
async function claim({ log, worker }: Parts, { at, key, request, deadline, replay }: Slot): Promise<boolean> {
  if (request.reserved_micros === 0) return true;
  const { won } = await log.append(at, { type: 'tool.claimed', key, body: { worker } }, { replay });
  if (!won) await delay(Math.max(0, deadline - log.now()));
  return won;
}

async function execute(parts: Parts, slot: Slot, kill: AbortSignal): Promise<Outcome> {
  const { request } = slot;
  const call = request.tool === 'run_code' ? parseCall(request.args) : `The sandbox has no tool ${request.tool}.`;
  if (typeof call === 'string') return told('failed', 'bad_arguments', call);
  const fault = faultOf(call, request.inputs, parts.limits);
  if (fault !== null) return told('failed', 'bad_arguments', fault);
  try {
    const inputs = await fetchInputs(parts.blobs, request.inputs);
    if (parts.ending.aborted) throw new LoomError('not_ready');
    const run = await runCode(call, inputs, { pool: parts.pool, limits: parts.limits, kill });
    crashpoint('sandbox', 'ran');
    if (run.ending.kind === 'vanished' && parts.ending.aborted) throw new LoomError('not_ready');
    durations.record(run.seconds);
    const body = { call: slot.key, seconds: Math.ceil(run.seconds) };
    await parts.log.append(slot.at, { type: 'workspace.closed', key: slot.key, body }, { replay: slot.replay });
    return await outcomeOfRun(parts, slot.at, run);
  } catch (cause) {
    return outcomeOfFailure(cause);
  }
}

/** What is wrong with the inputs, in words for the model. */
function faultOf(call: Call, inputs: Requested['inputs'], limits: Limits): string | null {
  const names = inputs.map(({ name }) => name);
  const unsafe = names.filter((name) => !isSafePath(name));
  const bytes = inputs.reduce((sum, { size }) => sum + size, 0);
  if (unsafe.length > 0)
    return `These files have names that cannot be laid into a workspace: ${unsafe.map((name) => JSON.stringify(name)).join(', ')}.`;
  if (bytes > limits.inputBytes)
    return `The files have ${bytes} bytes together; the workspace takes ${limits.inputBytes}. Name fewer in "files".`;
  return missingFiles(call, names);
}

async function fetchInputs(blobs: Parts['blobs'], inputs: Requested['inputs']): Promise<readonly WorkspaceFile[]> {
  const get = async ({ name, object, data_key }: Requested['inputs'][number]): Promise<WorkspaceFile> => ({
    path: name,
    content: await blobs.get(object, data_key),
  });
  return Promise.all(inputs.map(get));
}

async function outcomeOfRun({ blobs, limits }: Parts, at: Address, run: Run): Promise<Outcome> {
  const { outcome, code, exitCode } = verdict(run, limits);
  const files: Settled['files'][number][] = [];
  for (const { path, content } of run.files) {
    const { object, size, sha256, dataKey } = await blobs.put({ tenant: at.tenant, job: at.stream }, content);
    files.push({ path, media_type: mediaType(path), size, sha256, object, data_key: dataKey });
  }
  return { outcome, code, exit_code: exitCode, result: resultText(run, limits), files };
}

/** Failures that another try would not mend settle the slot; the others come again. */
function outcomeOfFailure(cause: unknown): Outcome {
  if (cause instanceof SandboxUnavailable) return told('failed', 'sandbox_unavailable', cause.message);
  const failure = LoomError.from(cause);
  if (failure.code === 'blob_missing')
    return told('failed', 'input_missing', 'An input file is not in the store any more.');
  if (failure.code === 'blob_damaged') return told('failed', 'input_damaged', 'An input file is damaged in the store.');
  throw cause; // to come again
}

const told = (outcome: Outcome['outcome'], code: string, result: string): Outcome => ({
  outcome,
  code,
  exit_code: null,
  result,
  files: [],
});

/** An outcome with what it took. */
type Taken = Outcome & Pick<Settled, 'cost_micros' | 'latency_ms'>;

const nothingRecorded: Taken = {
  ...told('refused', 'not_recorded', 'The parent of this playback recorded no such call.'),
  cost_micros: 0,
  latency_ms: 0,
};

async function settle(parts: Parts, { at, key, request, replay }: Slot, outcome: Taken): Promise<void> {
  const { agent, step, call, attempt, tool } = request;
  const input = toolInput({ type: 'run.requested', body: request });
  const input_hmac = await parts.hmac({ at, key, sealed: request.call_key }, input);
  const body = { agent, step, call, attempt, tool, input_hmac, ...outcome };
  const { won } = await parts.log.append(at, { type: 'tool.settled', key, body }, { replay });
  if (replay === 'playback') return;
  outcomes.add(1, { outcome: outcome.outcome, code: outcome.code });
  if (won || outcome.code === 'deadline_passed') return;
  const lost = { agent, slot: key, tool, outcome: outcome.outcome, latency_ms: outcome.latency_ms };
  await parts.log.append(at, { type: 'tool.called', key: `${key}-${parts.worker}`, body: lost }, { replay });
}
