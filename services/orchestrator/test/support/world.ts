import { emptyJob, evolve, openAttempts, openCalls, type Job } from '@loom/job';
import type { Draft, Fact, Source } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { decide } from '../../src/domain/decide.ts';
import type { Intake } from '../../src/domain/intake.ts';
import { lostSlots } from '../../src/domain/settle.ts';
import { timers } from '../../src/domain/timers.ts';

type Limits = Bodies['job.accepted']['limits'];

export const limits: Limits = {
  max_agents: 20,
  max_depth: 2,
  max_fan_out: 5,
  max_steps: 6,
  max_attempts: 3,
  max_in_flight: 4,
  max_output_tokens: 1000,
  step_deadline_ms: 60_000,
  tool_deadline_ms: 30_000,
  silence_ms: 90 * 86_400_000,
  parked_ms: 86_400_000,
};

/** One model, priced so that a token in costs 1 and a token out 10 micro-USD. */
export const intake: Intake = {
  models: { planner: 'm', worker: 'm', writer: 'm' },
  prices: [
    {
      model: 'm',
      input_micros_per_mtok: 1_000_000,
      cached_micros_per_mtok: 0,
      output_micros_per_mtok: 10_000_000,
      max_output_tokens: 1_000,
    },
  ],
  priceVersion: 'v1',
  defaultBudgetMicros: 1_000_000,
  limits,
};

export const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '', user_agent: '' };

export interface Reply {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly args: unknown }[];
  readonly cost?: number;
  readonly failure?: Bodies['step.settled']['failure'];
  readonly outcome?: Bodies['step.settled']['outcome'];
}

/** A log in memory with the decider on it; time only moves when told. */
export class World {
  readonly facts: Fact[] = [];
  readonly job: Job = emptyJob({ tenant: 't1', stream: 'job_0test' });
  readonly #intake: Intake;
  now = 1_000_000;
  /** The highest that settled + reserved came above the cap; never positive in a world that holds. */
  overshoot = -Infinity;

  constructor(changes: Partial<Intake> = {}) {
    this.#intake = { ...intake, ...changes };
  }

  append(source: Source, draft: Draft, carried: readonly Draft[] = []): void {
    const seq = this.facts.length + 1;
    const all = carried.length > 0 ? carried : [draft];
    const items = all.map((one, index) => ({ ...one, id: `${seq}.${index}` }));
    const fact: Fact = {
      tenant: 't1',
      stream: 'job_0test',
      seq,
      time: this.now,
      source,
      key: draft.key,
      id: String(seq),
      writer: source,
      basis: this.job.seq,
      decision: null,
      sum: String(seq),
      traceparent: '',
      type: draft.type,
      items,
      said: items.length === 1 ? (items[0] ?? null) : null,
    };
    this.facts.push(fact);
    evolve(this.job, fact);
    this.overshoot = Math.max(this.overshoot, this.job.money.settled + this.job.money.reserved - this.job.money.cap);
  }

  /** Turns until nothing is missing; the number of decisions is bounded, so a decider that never converges fails. */
  turn(): this {
    for (let round = 0; round < 100; round += 1) {
      for (const { source, draft } of lostSlots(this.job)) this.append(source, draft);
      const drafts = decide(this.job, this.#intake);
      const [first] = drafts;
      if (!first) return this;
      if (drafts.length === 1) this.append('orchestrator', first);
      else
        this.append('orchestrator', { type: 'decision.made', key: String(this.job.seq), body: { items: [] } }, drafts);
    }
    throw new Error('the decider does not converge');
  }

  submit(changes: Partial<Bodies['job.submitted']> = {}): this {
    const body: Bodies['job.submitted'] = {
      brief: 'Compare the files.',
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
      ...changes,
    };
    this.append('gateway', { type: 'job.submitted', key: '0', body });
    return this.turn();
  }

  reply(agent: string, reply: Reply): this {
    return this.answer(agent, reply).turn();
  }

  /** Settles the one open attempt of an agent as a model would; nobody looks at it yet. */
  answer(agent: string, reply: Reply): this {
    const attempt = openAttempts(this.job).find((one) => one.agent === agent);
    if (!attempt) throw new Error(`${agent} has no open step`);
    this.append('agent-runner', {
      type: 'step.settled',
      key: attempt.key,
      body: {
        agent,
        step: attempt.step,
        attempt: attempt.attempt,
        outcome: reply.outcome ?? (reply.failure ? 'failed' : 'completed'),
        failure: reply.failure ?? 'none',
        code: reply.failure ?? '',
        retry_after_ms: 0,
        provider: 'test',
        model: 'm',
        tokens_in: 0,
        tokens_cached: 0,
        tokens_written: 0,
        tokens_out: 0,
        cost_micros: reply.cost ?? 0,
        price_version: 'v1',
        latency_ms: 1,
        request_hmac: Buffer.alloc(0),
        templates: '',
        toolset: '',
        provider_request_id: null,
        stop_reason: '',
        text: reply.text ?? '',
        tool_calls: (reply.calls ?? []).map(({ name, args }, index) => ({
          id: `c${index}`,
          name,
          args: JSON.stringify(args),
        })),
        error: null,
      },
    });
    return this;
  }

  /** Settles every open tool call. */
  tools(outcome: Bodies['tool.settled']['outcome'] = 'completed', files: Bodies['tool.settled']['files'] = []): this {
    for (const call of openCalls(this.job)) {
      this.append(call.where === 'sandbox' ? 'sandbox' : 'agent-runner', {
        type: 'tool.settled',
        key: call.key,
        body: {
          agent: call.agent,
          step: call.step,
          call: call.index,
          attempt: 1,
          tool: call.name,
          outcome,
          code: '',
          cost_micros: 0,
          latency_ms: 1,
          exit_code: 0,
          input_hmac: Buffer.alloc(0),
          result: `result of ${call.key}`,
          files,
        },
      });
    }
    return this.turn();
  }

  /** What an operator says of a parked step. */
  resolve(key: string, outcome: Bodies['step.resolved']['outcome'], reason = ''): this {
    const [agent = '', step, attempt] = key.split('-');
    const slot = { agent, step: Number(step), attempt: Number(attempt) };
    this.append('operator', { type: 'step.resolved', key, body: { ...slot, outcome, reason, person: 'ops' } });
    return this.turn();
  }

  fire(kind: string): this {
    const timer = timers(this.job).find((one) => one.kind === kind);
    if (!timer) throw new Error(`no timer ${kind}`);
    this.now = Math.max(this.now, timer.due);
    this.append('timer', {
      type: 'timer.fired',
      key: `${timer.kind}-${timer.key}`,
      body: { kind: timer.kind, due: timer.due },
    });
    return this.turn();
  }

  ask(draft: Draft): this {
    this.append('gateway', draft);
    return this.turn();
  }

  /** Types of all items in order, with their keys. */
  get items(): string[] {
    return this.facts.flatMap(({ items }) => items.map(({ type, key }) => `${type} ${key}`));
  }

  get open(): string[] {
    return [...openAttempts(this.job), ...openCalls(this.job)].map(({ key }) => key);
  }
}

export const plan = (...agents: { id: string; needs?: string[]; required?: boolean; files?: string[] }[]): Reply => ({
  calls: [
    {
      name: 'submit_plan',
      args: { agents: agents.map((agent) => ({ role: `role of ${agent.id}`, task: 'work', ...agent })) },
    },
  ],
});

export const file = (path: string) => ({
  path,
  media_type: 'text/plain',
  size: 3,
  sha256: 'ab',
  object: 'o',
  data_key: Buffer.alloc(32),
});
