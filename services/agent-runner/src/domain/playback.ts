import { conversation, nextRecorded, recordedOutcome, toolInput, type Job } from '@loom/job';
import type { ModelRequest } from '@loom/models';
import type { Bodies } from '@loom/schemas';
import type { StepRequest, StepSettled } from './settle.ts';

/** HMAC, under the parent's key, of the very bytes that a provider would be sent; null for one that is not known. */
export type Stamped = (provider: string, asked: ModelRequest) => Promise<Buffer | null>;

/** Whether the outcome of a step or call comes from the record and nothing may be done for it. */
export const isPlayback = (job: Job): boolean => nextRecorded(job) !== undefined;

/** What the parent recorded of a step that is asked in the same words; null when it recorded none. */
export async function recordedStep(
  job: Job,
  key: string,
  request: StepRequest,
  stamped: Stamped,
): Promise<{ readonly settled: StepSettled; readonly asked: ModelRequest } | null> {
  const settled = recordedOutcome(job, key)?.settled;
  if (settled?.type !== 'step.settled') return null;
  const { agent, step, upto, model, max_tokens: maxTokens } = request;
  const asked = conversation(job, { agent, step, upto, model, maxTokens });
  const { provider, request_hmac } = settled.body;
  const same = request_hmac.length === 0 || (await stamped(provider, asked))?.equals(request_hmac) === true;
  return same ? { settled: settled.body, asked } : null;
}

/** What the parent recorded of a call of one of the runner's own tools with the same input. */
export function recordedTool(job: Job, key: string, body: Bodies['tool.requested']): Bodies['tool.settled'] | null {
  const found = recordedOutcome(job, key);
  if (found?.settled.type !== 'tool.settled' || found.asked === null) return null;
  return toolInput(found.asked).equals(toolInput({ type: 'tool.requested', body })) ? found.settled.body : null;
}
