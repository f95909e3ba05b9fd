import type { ClearFact, ClearItem, Source } from '@loom/log';

const head = { key: 'k', id: '', basis: 0, decision: null, sum: 'ab', traceparent: '', said: null } as const;

interface Where {
  readonly seq: number;
  readonly source: Source;
  readonly tenant?: string;
  readonly stream?: string;
}

/** A fact with these items; none makes it a dispatch. */
export function fact(at: Where, ...items: readonly Omit<ClearItem, 'id'>[]): ClearFact {
  const own = items.map((item, index) => ({ ...item, id: `${at.seq}.${index}` }) as ClearItem);
  const type = own.length === 1 ? (own[0] as ClearItem).type : 'decision.made';
  return {
    ...head,
    tenant: 't1',
    stream: 'job_0a',
    time: 1_800_000_000_000,
    writer: at.source,
    ...at,
    type,
    items: own,
  };
}

export const request = { action: 'POST /v1/jobs/{id}/cancel', target: 'job_0a', person: 'user_1' } as const;

export const cancel = { type: 'job.cancel-requested', key: '0', body: { request } } as const;

export const refused = { type: 'job.refused', key: '0', body: { code: 'out_of_scope', spent_micros: 0 } } as const;

export const exhausted = {
  type: 'budget.exhausted',
  key: '1',
  body: { needed_micros: 3, budget_micros: 2, settled_micros: 1, reserved_micros: 1 },
} as const;

export const stepRequested = (attempt: number) =>
  ({
    type: 'step.requested',
    key: `a1-1-${attempt}`,
    body: {
      agent: 'a1',
      step: 1,
      attempt,
      epoch: 0,
      model: 'm',
      max_tokens: 1,
      input_tokens_max: 1,
      reserved_micros: 1,
      price_version: 'p',
      deadline_ms: 1,
      upto: 1,
    },
  }) as const;

export const settled = (outcome: 'completed' | 'failed', code: string) =>
  ({
    type: 'step.settled',
    key: 'a1-1-1',
    body: {
      agent: 'a1',
      step: 1,
      attempt: 1,
      outcome,
      failure: 'none',
      code,
      retry_after_ms: 0,
      provider: 'anthropic',
      model: 'm',
      tokens_in: 1,
      tokens_cached: 0,
      tokens_written: 0,
      tokens_out: 1,
      cost_micros: 5,
      price_version: 'p',
      latency_ms: 5,
      request_hmac: Buffer.alloc(0),
      templates: 't',
      toolset: 's',
      provider_request_id: null,
      stop_reason: 'end',
    },
  }) as const;
