import type { ClearFact, ClearItem } from '@loom/log';

type Step = Extract<ClearItem, { type: 'step.settled' }>['body'];

const head = {
  source: 'agent-runner',
  key: 'k',
  id: '',
  writer: 'agent-runner',
  basis: 0,
  decision: null,
  sum: '',
  traceparent: '',
  said: null,
} as const;

/** 2026-03-01T23:59:00Z, the day's last minute. */
export const evening = Date.UTC(2026, 2, 1, 23, 59);

interface Where {
  readonly seq: number;
  readonly tenant?: string;
  readonly stream?: string;
  readonly time?: number;
}

/** A fact with these items; none makes it a dispatch. */
export function fact(at: Where, ...items: readonly Omit<ClearItem, 'id' | 'key'>[]): ClearFact {
  const own = items.map((item, index) => ({ key: 'k', ...item, id: `${at.seq}.${index}` }) as ClearItem);
  const type = own.length === 1 ? (own[0] as ClearItem).type : 'decision.made';
  return { ...head, tenant: 't1', stream: 'job_0a', time: evening, ...at, type, items: own };
}

const settledStep: Step = {
  agent: 'a1',
  step: 1,
  attempt: 1,
  outcome: 'completed',
  failure: 'none',
  code: '',
  retry_after_ms: 0,
  provider: 'anthropic',
  model: 'm',
  tokens_in: 100,
  tokens_cached: 10,
  tokens_written: 0,
  tokens_out: 20,
  cost_micros: 500,
  price_version: 'p1',
  latency_ms: 5,
  request_hmac: Buffer.alloc(0),
  templates: 't',
  toolset: 's',
  provider_request_id: null,
  stop_reason: 'end',
};

export const settled = (body: Partial<Step> = {}) =>
  ({ type: 'step.settled', body: { ...settledStep, ...body } }) as const;

export const called = (slot: string, cost_micros: number) =>
  ({
    type: 'model.called',
    body: {
      agent: slot.split('-')[0] ?? '',
      slot,
      provider: 'openai',
      model: 'n',
      tokens_in: 7,
      tokens_cached: 0,
      tokens_written: 0,
      tokens_out: 7,
      cost_micros,
      price_version: 'p1',
      latency_ms: 1,
      provider_request_id: null,
    },
  }) as const;

export const closed = (call: string, seconds: number) =>
  ({ type: 'workspace.closed', body: { call, seconds } }) as const;

export const submitted = (engagement: string) =>
  ({
    type: 'job.submitted',
    body: {
      engagement,
      owner: 'u',
      budget_micros: null,
      models: {},
      follows: null,
      forked_from: null,
      from_seq: null,
      mode: null,
      tightened: {},
      request: { action: 'POST /v1/jobs', target: '', person: 'u' },
    },
  }) as const;
