/**
 * `tool.requested` → one of the runner's own tools → `tool.settled`.
 *
 * W1. A slot is settled once, by whoever comes first; these tools cost nothing and touch nothing outside, so a second run of one is harmless.
 * W2. A mistake of the model is an outcome that tells it so in words; only a fault of Loom's own is thrown.
 */
import { halted, parseArgs, ReadAttachment, replayOf, toolInput, TOOLS, WriteArtifact } from '@loom/job';
import type { Job } from '@loom/job';
import type { Address, Fact } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { inSpan, LoomError } from '@loom/service';
import { isPlayback } from '../domain/playback.ts';
import { artifactPath, mediaTypeOf } from '../domain/paths.ts';
import { decode, excerpt } from '../domain/text.ts';
import { outcomes } from './parts.ts';
import type { Parts } from './parts.ts';
import { serveTool } from './playback.ts';

type ToolRequest = Bodies['tool.requested'];
type ToolSettled = Bodies['tool.settled'];
type Outcome = Pick<ToolSettled, 'outcome' | 'code' | 'result' | 'files'>;

interface Use {
  readonly parts: Parts;
  readonly at: Address;
  readonly job: Job;
  readonly args: string;
}

/** Most bytes of an artifact that a model writes as text. */
const MOST_CONTENT = 10 * 1024 * 1024;

/** Characters that a reading shows when the model does not say. */
const DEFAULT_LIMIT = 32_768;

/** Handles one delivery of `tool.requested`; resolves once its slot is settled by someone. */
export async function handleTool(parts: Parts, fact: Fact): Promise<void> {
  if (fact.said?.type !== 'tool.requested') return;
  const request = fact.said.body;
  const attributes = { 'loom.job': fact.stream, 'loom.key': fact.key, 'loom.tool': request.tool };
  await inSpan('agent-runner tool', fact.traceparent, attributes, () => work(parts, fact, request));
}

async function work(parts: Parts, fact: Fact, request: ToolRequest): Promise<void> {
  const began = performance.now();
  const at = { tenant: fact.tenant, stream: fact.stream };
  const job = await parts.jobs.at(at, fact.seq);
  if (job.calls.get(fact.key)?.result) return;
  if (isPlayback(job)) return serveTool(parts, job, fact.key, request);
  const outcome = await outcomeOf({ parts, at, job, args: request.args }, request);
  const keys = await parts.vault.open(at.tenant, at.stream);
  const input_hmac = keys.hmac('input', toolInput({ type: 'tool.requested', body: request }));
  const { agent, step, call, attempt, tool } = request;
  const body = {
    agent,
    step,
    call,
    attempt,
    tool,
    cost_micros: 0,
    latency_ms: Math.round(performance.now() - began),
    exit_code: null,
    input_hmac,
    ...outcome,
  };
  await parts.log.append(at, { type: 'tool.settled', key: fact.key, body }, { basis: job.seq, replay: replayOf(job) });
  outcomes.tools.add(1, {
    tool: Object.hasOwn(TOOLS, tool) ? tool : 'unknown',
    outcome: outcome.outcome,
    code: outcome.code,
  });
}

async function outcomeOf(use: Use, request: ToolRequest): Promise<Outcome> {
  const why = halted(use.job, request);
  if (why !== null) return told('refused', why, 'The job does not want this call any more.');
  try {
    return await run(use, request.tool);
  } catch (cause) {
    const { code } = LoomError.from(cause);
    if (code === 'blob_missing') return told('failed', 'input_missing', 'The file is not in the store any more.');
    if (code === 'blob_damaged') return told('failed', 'input_damaged', 'The file is damaged in the store.');
    throw cause;
  }
}

function run(use: Use, tool: string): Promise<Outcome> | Outcome {
  switch (tool) {
    case 'write_artifact':
      return writeArtifact(use);
    case 'read_attachment':
      return readAttachment(use);
    case 'list_files':
      return told('completed', '', listing(use.job));
    default:
      return told('failed', 'unknown_tool', `There is no tool ${JSON.stringify(tool)} here.`);
  }
}

const told = (outcome: Outcome['outcome'], code: string, result: string): Outcome => ({
  outcome,
  code,
  result,
  files: [],
});

async function writeArtifact({ parts, at, args }: Use): Promise<Outcome> {
  const parsed = parseArgs(WriteArtifact, args);
  if (!parsed.ok) return told('failed', 'bad_arguments', parsed.problem);
  const place = artifactPath(parsed.args.path);
  if ('problem' in place) return told('failed', 'bad_path', place.problem);
  const content = Buffer.from(parsed.args.content);
  if (content.length > MOST_CONTENT)
    return told('failed', 'too_large', `The content has ${content.length} bytes; a file may have ${MOST_CONTENT}.`);
  const { object, size, sha256, dataKey } = await parts.blobs.put({ tenant: at.tenant, job: at.stream }, content);
  const file = { path: place.path, media_type: mediaTypeOf(place.path), size, sha256, object, data_key: dataKey };
  return { outcome: 'completed', code: '', result: `Written: ${place.path} (${size} bytes)`, files: [file] };
}

async function readAttachment({ parts, job, args }: Use): Promise<Outcome> {
  const parsed = parseArgs(ReadAttachment, args);
  if (!parsed.ok) return told('failed', 'bad_arguments', parsed.problem);
  const { name, offset = 0, limit = DEFAULT_LIMIT } = parsed.args;
  const file = fileOf(job, name);
  if (!file) return told('failed', 'no_such_file', `There is no file ${JSON.stringify(name)}. ${listing(job)}`);
  const content = await parts.blobs.get(file.object, file.dataKey);
  const decoded = decode(content);
  if (!decoded)
    return told(
      'failed',
      'not_text',
      `${name} is no text: ${content.length} bytes of ${file.mediaType}. Look into it with run_code.`,
    );
  return told('completed', '', excerpt(decoded, { name, offset, limit }));
}

interface Stored {
  readonly object: string;
  readonly dataKey: Buffer;
  readonly mediaType: string;
}

/** An attachment by its name, or the newest artifact of that path. */
function fileOf(job: Job, name: string): Stored | undefined {
  const attachment = job.submitted?.attachments.find((one) => one.name === name || `./${one.name}` === name);
  if (attachment) return { object: attachment.object, dataKey: attachment.data_key, mediaType: attachment.media_type };
  return [...job.artifacts.values()].findLast(({ path }) => path === name);
}

function listing(job: Job): string {
  const attachments = (job.submitted?.attachments ?? []).map(
    ({ name, media_type, size }) => `- ${name} (${media_type}, ${size} bytes)`,
  );
  const written = new Map([...job.artifacts.values()].map(({ path, size }) => [path, `- ${path} (${size} bytes)`]));
  return [
    'Attachments:',
    ...(attachments.length > 0 ? attachments : ['- none']),
    'Files written:',
    ...(written.size > 0 ? written.values() : ['- none']),
  ].join('\n');
}
