import { TEMPLATES, TOOLSET } from '@loom/job';
import type { FailureDetail, ModelReply, Usage } from '@loom/models';
import type { Bodies } from '@loom/schemas';

export type StepRequest = Bodies['step.requested'];
export type StepSettled = Bodies['step.settled'];

/** What is known of an attempt whatever comes of it. */
export interface Attempted {
  readonly request: StepRequest;
  readonly provider: string;
  readonly templates: string;
  readonly toolset: string;
  /** Empty where nothing was sent. */
  readonly requestHmac: Buffer;
  readonly latencyMs: number;
  /** Price of the usage, micro-USD. */
  readonly costOf: (usage: Usage) => number;
}

/** An attempt that sent nothing, and so cost nothing. */
export const unsent = (request: StepRequest): Attempted => ({
  request,
  provider: '',
  templates: TEMPLATES,
  toolset: TOOLSET,
  requestHmac: Buffer.alloc(0),
  latencyMs: 0,
  costOf: () => 0,
});

const NOTHING: Usage = { input: 0, cached: 0, output: 0 };

function settled(attempted: Attempted, usage: Usage): StepSettled {
  const { request } = attempted;
  return {
    agent: request.agent,
    step: request.step,
    attempt: request.attempt,
    outcome: 'completed',
    failure: 'none',
    code: '',
    retry_after_ms: 0,
    provider: attempted.provider,
    model: request.model,
    tokens_in: usage.input,
    tokens_cached: usage.cached,
    tokens_written: usage.written ?? 0,
    tokens_out: usage.output,
    cost_micros: Math.min(attempted.costOf(usage), request.reserved_micros),
    price_version: request.price_version,
    latency_ms: attempted.latencyMs,
    request_hmac: attempted.requestHmac,
    templates: attempted.templates,
    toolset: attempted.toolset,
    provider_request_id: null,
    stop_reason: '',
    text: '',
    tool_calls: [],
    error: null,
  };
}

/** The model answered. */
export function completed(attempted: Attempted, reply: ModelReply): StepSettled {
  const { model, requestId, stopReason, text, calls } = reply;
  const tool_calls = calls.map(({ id, name, args }) => ({ id, name, args }));
  return {
    ...settled(attempted, reply.usage),
    model,
    provider_request_id: requestId,
    stop_reason: stopReason,
    text,
    tool_calls,
  };
}

/** The call failed; what it used all the same counts. `error` is the provider's text: content. */
export function failed(attempted: Attempted, detail: FailureDetail, error: string): StepSettled {
  const { failure, code, retryAfterMs, requestId, usage } = detail;
  return {
    ...settled(attempted, usage ?? NOTHING),
    outcome: 'failed',
    failure,
    code,
    retry_after_ms: retryAfterMs,
    provider_request_id: requestId,
    error,
  };
}

/** The call was not made, or broken off, because the job does not want it any more. */
export function refused(
  attempted: Attempted,
  code: string,
  detail: Pick<FailureDetail, 'usage' | 'requestId'> | null = null,
): StepSettled {
  return {
    ...settled(attempted, detail?.usage ?? NOTHING),
    outcome: 'refused',
    failure: 'terminal',
    code,
    provider_request_id: detail?.requestId ?? null,
  };
}

/** Nobody can say what became of it. `paid` is false only where it is sure that nothing was sent: else it costs the whole reservation. */
export function lost(attempted: Attempted, paid: boolean): StepSettled {
  const cost_micros = paid ? attempted.request.reserved_micros : 0;
  return {
    ...settled(attempted, NOTHING),
    outcome: 'lost',
    failure: 'transient',
    code: 'deadline_passed',
    cost_micros,
  };
}

/** The record of a call whose slot had an outcome by then. */
export function wasted(slot: string, body: StepSettled): Bodies['model.called'] {
  const {
    agent,
    provider,
    model,
    tokens_in,
    tokens_cached,
    tokens_written,
    tokens_out,
    cost_micros,
    price_version,
    latency_ms,
    provider_request_id,
  } = body;
  return {
    agent,
    slot,
    provider,
    model,
    tokens_in,
    tokens_cached,
    tokens_written,
    tokens_out,
    cost_micros,
    price_version,
    latency_ms,
    provider_request_id,
  };
}
