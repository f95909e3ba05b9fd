import { openAttempts, openCalls, playsBack, type Attempt, type Call, type Job } from '@loom/job';
import type { Source } from '@loom/log';
import { draft, type Decision } from './draft.ts';

/** A worker's slot that the orchestrator settles in its place (invariant 11). */
export interface Settlement {
  readonly source: Source;
  readonly draft: Decision;
}

/** Slots whose worker let its deadline, or the grace after a kill, go by. Whoever appends first wins the slot. */
export function lostSlots(job: Job): readonly Settlement[] {
  if (job.ended || playsBack(job)) return [];
  const late = (kind: string, { key, agent }: { readonly key: string; readonly agent: string }): boolean =>
    job.fired.has(`${kind}-${key}`) ||
    (job.fired.has('halt-0') && (job.killRequested || (job.agents.get(agent)?.killRequested ?? false)));
  return [
    ...openAttempts(job)
      .filter((attempt) => late('step', attempt))
      .map((attempt): Settlement => ({ source: 'agent-runner', draft: lostStep(job, attempt) })),
    ...openCalls(job)
      .filter((call) => late('tool', call))
      .map((call): Settlement => ({
        source: call.where === 'sandbox' ? 'sandbox' : 'agent-runner',
        draft: lostCall(call),
      })),
  ];
}

/** It may have been paid: it costs its whole reservation, and a retry makes one of its own (invariant 6). */
function lostStep(job: Job, attempt: Attempt): Decision {
  return draft('step.settled', attempt.key, {
    agent: attempt.agent,
    step: attempt.step,
    attempt: attempt.attempt,
    outcome: 'lost',
    failure: 'transient',
    code: 'worker_lost',
    retry_after_ms: 0,
    provider: '',
    model: job.agents.get(attempt.agent)?.spawned.model ?? '',
    tokens_in: 0,
    tokens_cached: 0,
    tokens_written: 0,
    tokens_out: 0,
    cost_micros: attempt.reservedMicros,
    price_version: job.accepted?.price_version ?? '',
    latency_ms: 0,
    request_hmac: Buffer.alloc(0),
    templates: job.accepted?.templates ?? '',
    toolset: job.accepted?.toolset ?? '',
    provider_request_id: null,
    stop_reason: '',
    text: '',
    tool_calls: [],
    error: 'No outcome came before the deadline.',
  });
}

function lostCall(call: Call): Decision {
  return draft('tool.settled', call.key, {
    agent: call.agent,
    step: call.step,
    call: call.index,
    attempt: 1,
    tool: call.name,
    outcome: 'lost',
    code: 'worker_lost',
    cost_micros: call.reservedMicros,
    latency_ms: 0,
    exit_code: null,
    input_hmac: Buffer.alloc(0),
    result: 'No outcome came before the deadline; the tool may or may not have run.',
    files: [],
  });
}
