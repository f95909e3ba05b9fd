import type { Draft, Fact, Source } from '@loom/log';
import type { Bodies } from '@loom/schemas';

const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '', user_agent: '' };
const price = {
  model: 'm',
  input_micros_per_mtok: 1,
  cached_micros_per_mtok: 1,
  output_micros_per_mtok: 1,
  max_output_tokens: 100,
};
const limits = {
  max_agents: 10,
  max_depth: 2,
  max_fan_out: 5,
  max_steps: 5,
  max_attempts: 3,
  max_in_flight: 5,
  max_output_tokens: 100,
  step_deadline_ms: 1000,
  tool_deadline_ms: 1000,
  silence_ms: 1000,
  parked_ms: 1000,
};

const submitted: Draft = {
  type: 'job.submitted',
  key: '0',
  body: {
    brief: 'Count the rows.',
    attachments: [],
    metadata: {},
    engagement: 'default',
    owner: 'user_1',
    budget_micros: null,
    models: {},
    follows: null,
    forked_from: null,
    from_seq: null,
    mode: null,
    tightened: {},
    request,
  },
};
const accepted: Draft = {
  type: 'job.accepted',
  key: '0',
  body: {
    decider: '1',
    policy: '1',
    templates: 't',
    toolset: 't',
    price_version: 'p',
    prices: [price],
    models: { planner: 'm', worker: 'm', writer: 'm' },
    budget_micros: 10_000,
    limits,
  },
};
const spawned = (agent: string, kind: Bodies['agent.spawned']['kind']): Draft => ({
  type: 'agent.spawned',
  key: agent,
  body: {
    agent,
    parent: null,
    call: null,
    depth: 0,
    kind,
    role: kind,
    task: 'Count.',
    needs: [],
    required: true,
    model: 'm',
    files: [],
  },
});
const requested = (agent: string, upto: number): Draft => ({
  type: 'step.requested',
  key: `${agent}-1-1`,
  body: {
    agent,
    step: 1,
    attempt: 1,
    epoch: 0,
    model: 'm',
    max_tokens: 100,
    input_tokens_max: 1000,
    reserved_micros: 500,
    price_version: 'p',
    deadline_ms: 1000,
    upto,
  },
});
const settled = (agent: string, cost_micros: number): Draft => ({
  type: 'step.settled',
  key: `${agent}-1-1`,
  body: {
    agent,
    step: 1,
    attempt: 1,
    outcome: 'completed',
    failure: 'none',
    code: '',
    retry_after_ms: 0,
    provider: 'p',
    model: 'm',
    tokens_in: 1,
    tokens_cached: 0,
    tokens_written: 0,
    tokens_out: 1,
    cost_micros,
    price_version: 'p',
    latency_ms: 1,
    request_hmac: Buffer.alloc(0),
    templates: 't',
    toolset: 't',
    provider_request_id: null,
    stop_reason: 'end',
    text: 'six rows',
    tool_calls: [],
    error: null,
  },
});
const finished: Draft = {
  type: 'agent.finished',
  key: 'a0',
  body: { agent: 'a0', outcome: 'done', code: '', reason: null, last_step: 'a0-1' },
};
const message: Draft = {
  type: 'message.posted',
  key: 'm1',
  body: { text: 'also the columns', in_reply_to: null, request },
};
const empty: Draft = { type: 'decision.made', key: '5', body: { items: [] } };

/** One job up to its worker's first result: a plan, a decision of several items with its dispatch, a message. */
export function history(): Fact[] {
  const rows: [Source, Draft, Draft[]?, number?][] = [
    ['gateway', submitted],
    ['orchestrator', { ...empty, key: '1' }, [accepted, spawned('a0', 'planner')]],
    ['orchestrator', requested('a0', 2)],
    ['agent-runner', settled('a0', 30)],
    ['orchestrator', { ...empty, key: '4' }, [spawned('a1', 'worker'), finished]],
    ['orchestrator', { ...empty, key: '5' }, [requested('a1', 5)]],
    ['orchestrator', requested('a1', 5), [], 6],
    ['gateway', message],
    ['agent-runner', settled('a1', 40)],
  ];
  return rows.map(([source, draft, carried, decision], index) =>
    factOf(index + 1, source, draft, carried, decision ?? null),
  );
}

function factOf(
  seq: number,
  source: Source,
  draft: Draft,
  carried: readonly Draft[] | undefined,
  decision: number | null,
): Fact {
  const items = (carried ?? [draft]).map((one, index) => ({ ...one, id: `${seq}.${index}` }));
  return {
    tenant: 't1',
    stream: 'job_0test',
    seq,
    time: 1_000 + seq,
    source,
    key: draft.key,
    id: String(seq),
    writer: source,
    basis: seq - 1,
    decision,
    sum: `sum-${seq}`,
    traceparent: '',
    type: draft.type,
    items,
    said: carried ? null : (items[0] ?? null),
  };
}
