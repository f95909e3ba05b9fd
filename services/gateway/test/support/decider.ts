import { createHash } from 'node:crypto';
import { foldJob } from '@loom/job';
import type { Address, Draft } from '@loom/log';
import { tenantToken } from '../../src/ids.ts';
import type { World } from './world.ts';

/** Where a job of the default caller lies. */
export const addressOf = (job: string, account = 'user_ann'): Address => ({
  tenant: tenantToken(account),
  stream: job,
});

/** Appends what the orchestrator would: one decision of one item or more, fenced. */
export async function decide({ log }: World, job: string, ...drafts: readonly Draft[]): Promise<number> {
  const at = addressOf(job);
  const { seq, orchestratorSeq, chain } = await foldJob(log, at);
  const decided = await log.decide(at, drafts, { seq, orchestratorSeq, chain });
  if (decided === null) throw new Error('the fence was passed');
  return decided.seq;
}

const models = { planner: 'offline', worker: 'offline', writer: 'offline' };

export const accepted = (budget = 1_000_000): Draft => ({
  type: 'job.accepted',
  key: '0',
  body: {
    decider: '1',
    policy: '1',
    templates: '1',
    toolset: '1',
    price_version: 'p',
    prices: [],
    models,
    budget_micros: budget,
    limits: {
      max_agents: 8,
      max_depth: 2,
      max_fan_out: 8,
      max_steps: 20,
      max_attempts: 3,
      max_in_flight: 4,
      max_output_tokens: 1_000,
      step_deadline_ms: 60_000,
      tool_deadline_ms: 60_000,
      silence_ms: 60_000,
      parked_ms: 60_000,
    },
  },
});

export const spawned = (agent: string): Draft => ({
  type: 'agent.spawned',
  key: agent,
  body: {
    agent,
    parent: null,
    call: null,
    depth: 0,
    kind: agent === 'a0' ? 'planner' : 'worker',
    role: 'analyst',
    task: 'look',
    needs: [],
    required: true,
    model: 'offline',
    files: [],
  },
});

export const completed: Draft = {
  type: 'job.completed',
  key: '0',
  body: { spent_micros: 0, agents: 1, steps: 1, artifacts: 1 },
};

export const budgetChanged = (request: string, micros: number): Draft => ({
  type: 'budget.changed',
  key: request,
  body: { request, budget_micros: micros },
});

/** Stores a file and the decision that it is an artifact. */
export async function written(world: World, job: string, path: string, content: Buffer): Promise<void> {
  const { object, dataKey, size, sha256 } = await world.blobs.put({ tenant: addressOf(job).tenant, job }, content);
  const key = createHash('sha256').update(path).digest('hex').slice(0, 12);
  const body = {
    agent: 'a1',
    call: 'a1-1-0-1',
    path,
    media_type: 'text/plain',
    size,
    sha256,
    object,
    data_key: dataKey,
  };
  await decide(world, job, { type: 'artifact.written', key, body });
}

/** An agent that asks a person: the requests and outcomes that lead there, then the question. */
const said = {
  failure: 'none',
  code: '',
  retry_after_ms: 0,
  provider: 'offline',
  model: 'offline',
  tokens_in: 1,
  tokens_cached: 0,
  tokens_written: 0,
  tokens_out: 1,
  cost_micros: 0,
  price_version: 'p',
  latency_ms: 1,
  request_hmac: Buffer.alloc(32),
  templates: '1',
  toolset: '1',
  provider_request_id: null,
  stop_reason: 'tool_use',
  error: null,
} as const;

export async function asking(world: World, job: string, question: string): Promise<string> {
  const at = addressOf(job);
  const key = 'a0-1-0-1';
  await decide(world, job, {
    type: 'step.requested',
    key: 'a0-1-1',
    body: {
      agent: 'a0',
      step: 1,
      attempt: 1,
      epoch: 0,
      model: 'offline',
      max_tokens: 10,
      input_tokens_max: 10,
      reserved_micros: 0,
      price_version: 'p',
      deadline_ms: 60_000,
      upto: 1,
    },
  });
  const settled: Draft = {
    type: 'step.settled',
    key: 'a0-1-1',
    body: {
      agent: 'a0',
      step: 1,
      attempt: 1,
      outcome: 'completed',
      ...said,
      text: 'Let me ask.',
      tool_calls: [{ id: 'c1', name: 'ask_user', args: JSON.stringify({ question }) }],
    },
  };
  await world.runner.append(at, settled);
  await decide(world, job, { type: 'input.requested', key, body: { agent: 'a0', question } });
  return key;
}
