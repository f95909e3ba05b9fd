/**
 * The slots of a playback: settled with what the parent recorded of the very same request, or refused as `not_recorded`.
 * P1  Of a provider's port only the bytes that it would send are asked for; nothing is called, claimed, run or counted.
 */
import { toolInput, type Job } from '@loom/job';
import type { Provider } from '@loom/models';
import type { Bodies } from '@loom/schemas';
import { recordedStep, recordedTool } from '../domain/playback.ts';
import { refused, unsent, type StepRequest, type StepSettled } from '../domain/settle.ts';
import { silentPort } from '../models/index.ts';
import { createHmac } from 'node:crypto';
import type { Parts } from './parts.ts';

type ToolRequest = Bodies['tool.requested'];

export async function serveStep(parts: Parts, job: Job, key: string, request: StepRequest): Promise<void> {
  const body = (await stepOf(parts, job, key, request)) ?? refused(unsent(request), 'not_recorded');
  await parts.log.append(job, { type: 'step.settled', key, body }, { basis: job.seq, replay: 'playback' });
}

async function stepOf(parts: Parts, job: Job, key: string, request: StepRequest): Promise<StepSettled | null> {
  const portOf = async (provider: string) => parts.ports.get(provider as Provider) ?? (await silentPort(provider));
  const found = await recordedStep(job, key, request, async (provider, asked) => {
    const bytes = (await portOf(provider))?.body(asked);
    return bytes && job.fork ? createHmac('sha256', job.fork.requestKey).update(bytes).digest() : null;
  });
  if (found === null || found.settled.request_hmac.length === 0) return found?.settled ?? null;
  const keys = await parts.vault.open(job.tenant, job.stream);
  const bytes = (await portOf(found.settled.provider))?.body(found.asked) ?? Buffer.alloc(0);
  return { ...found.settled, request_hmac: keys.hmac('request', bytes) };
}

export async function serveTool(parts: Parts, job: Job, key: string, request: ToolRequest): Promise<void> {
  const keys = await parts.vault.open(job.tenant, job.stream);
  const { agent, step, call, attempt, tool } = request;
  const recorded = recordedTool(job, key, request) ?? nothingRecorded;
  const input_hmac = keys.hmac('input', toolInput({ type: 'tool.requested', body: request }));
  const body = { ...recorded, agent, step, call, attempt, tool, input_hmac };
  await parts.log.append(job, { type: 'tool.settled', key, body }, { basis: job.seq, replay: 'playback' });
}

const nothingRecorded = {
  outcome: 'refused',
  code: 'not_recorded',
  cost_micros: 0,
  latency_ms: 0,
  exit_code: null,
  result: 'The parent of this playback recorded no such call.',
  files: [],
} as const;
