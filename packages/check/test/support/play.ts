/** A whole job on a real log: the real decider, and workers that do as the script says. Some of everything happens in it. */
import { foldJob, pendingDispatches } from '@loom/job';
import type { Address, Draft, Item, Log, Source } from '@loom/log';
import { decideAgain } from '@loom/cli';
import { DECIDER } from '@loom/orchestrator';
import type { Bodies } from '@loom/schemas';
import { randomBytes } from 'node:crypto';
import type { World } from './world.ts';

type Settled = Bodies['step.settled'];

/** What was recorded when the job was taken in, in place of an installation's settings. */
const accepted: Bodies['job.accepted'] = {
  decider: DECIDER,
  policy: '1',
  templates: '',
  toolset: '',
  price_version: 'v1',
  prices: [
    {
      model: 'm',
      input_micros_per_mtok: 1_000_000,
      cached_micros_per_mtok: 0,
      output_micros_per_mtok: 10_000_000,
      max_output_tokens: 1000,
    },
  ],
  models: { planner: 'm', worker: 'm', writer: 'm' },
  budget_micros: 1_000_000,
  limits: {
    max_agents: 20,
    max_depth: 2,
    max_fan_out: 5,
    max_steps: 6,
    max_attempts: 3,
    max_in_flight: 4,
    max_output_tokens: 1000,
    step_deadline_ms: 60_000,
    tool_deadline_ms: 30_000,
    silence_ms: 86_400_000,
    parked_ms: 3_600_000,
  },
};
const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '192.0.2.7', user_agent: 'test' };

export class Play {
  readonly at: Address = { tenant: 'tacme', stream: `job_0${randomBytes(13).toString('hex')}` };
  readonly #logs: ReadonlyMap<Source, Log>;

  constructor(logs: ReadonlyMap<Source, Log>) {
    this.#logs = logs;
  }

  static async on(world: World): Promise<Play> {
    const sources: readonly Source[] = ['gateway', 'orchestrator', 'agent-runner', 'sandbox'];
    return new Play(
      new Map(await Promise.all(sources.map(async (source) => [source, await world.log(source)] as const))),
    );
  }

  log(source: Source): Log {
    const log = this.#logs.get(source);
    if (log === undefined) throw new Error(`no log for ${source}`);
    return log;
  }

  async say(writer: Source, draft: Draft, source = writer): Promise<void> {
    const { seq } = await foldJob(this.log('orchestrator'), this.at);
    const { won } = await this.log(writer).append(this.at, draft, { source, basis: seq });
    if (!won) throw new Error(`${draft.type} ${draft.key} was there already`);
  }

  /** Decides and dispatches until nothing is missing. */
  async turn(): Promise<void> {
    const log = this.log('orchestrator');
    for (let round = 0; round < 20; round += 1) {
      const job = await foldJob(log, this.at);
      const intake = { type: 'job.accepted', key: '0', id: '', body: accepted } as const;
      const drafts = decideAgain(job, [intake as Item]) ?? [];
      if (drafts.length === 0) {
        for (const dispatch of pendingDispatches(job)) await log.dispatch(this.at, dispatch);
        return;
      }
      await log.decide(this.at, drafts, job, { decider: DECIDER });
    }
    throw new Error('the decider does not converge');
  }

  async submit(): Promise<void> {
    const unset = {
      engagement: 'default',
      owner: 'user_1',
      follows: null,
      forked_from: null,
      from_seq: null,
      mode: null,
      tightened: {},
    };
    const body = {
      brief: 'Compare.',
      attachments: [],
      metadata: {},
      budget_micros: null,
      models: {},
      ...unset,
      request,
    };
    await this.say('gateway', { type: 'job.submitted', key: '0', body });
    await this.turn();
  }

  async post(key: string): Promise<void> {
    await this.say('gateway', { type: 'message.posted', key, body: { text: 'More.', in_reply_to: null, request } });
  }

  async claim(key: string): Promise<void> {
    await this.say('agent-runner', { type: 'step.claimed', key, body: { worker: 'w1' } });
  }

  /** Claims and settles an attempt as a model that answered with these calls. */
  async answer(key: string, ...calls: readonly { readonly name: string; readonly args: unknown }[]): Promise<void> {
    await this.claim(key);
    const tool_calls = calls.map(({ name, args }, i) => ({ id: `c${i}`, name, args: JSON.stringify(args) }));
    await this.say('agent-runner', { type: 'step.settled', key, body: { ...outcomeOf(key), tool_calls } });
    await this.turn();
  }

  /** Nobody answers in time: the orchestrator settles the attempt, the runner's answer comes too late or never, the step is tried again. */
  async lose(key: string, late = true): Promise<void> {
    await this.claim(key);
    await this.fire('step', key);
    const reservation = (await foldJob(this.log('orchestrator'), this.at)).attempts.get(key)?.reservedMicros ?? 0;
    const lost = { outcome: 'lost', failure: 'transient', code: 'worker_lost', cost_micros: reservation } as const;
    const sent = { request_hmac: Buffer.alloc(0), provider_request_id: null, tokens_in: 0, tokens_out: 0 };
    const settled: Draft = { type: 'step.settled', key, body: { ...outcomeOf(key), ...lost, ...sent } };
    await this.say('orchestrator', settled, 'agent-runner');
    const { agent, provider, model, tokens_in, tokens_cached, tokens_out, cost_micros, price_version } = outcomeOf(key);
    const called = {
      agent,
      slot: key,
      provider,
      model,
      tokens_in,
      tokens_cached,
      tokens_out,
      cost_micros,
      price_version,
    };
    const wasted = { ...called, tokens_written: 0, latency_ms: 9, provider_request_id: `late-${key}` };
    if (late) await this.say('agent-runner', { type: 'model.called', key: `${key}-w1`, body: wasted });
    await this.fire('retry', key);
    await this.turn();
  }

  async fire(kind: string, key: string): Promise<void> {
    await this.say('orchestrator', { type: 'timer.fired', key: `${kind}-${key}`, body: { kind, due: 1 } }, 'timer');
  }

  async tool(
    source: 'agent-runner' | 'sandbox',
    key: string,
    files: Bodies['tool.settled']['files'] = [],
  ): Promise<void> {
    const [agent = '', step, call] = key.split('-');
    if (source === 'sandbox')
      await this.say('sandbox', { type: 'workspace.closed', key, body: { call: key, seconds: 1 } });
    const about = { agent, step: Number(step), call: Number(call), attempt: 1, tool: 'some', code: '', cost_micros: 0 };
    const outcome = {
      outcome: 'completed',
      exit_code: source === 'sandbox' ? 0 : null,
      result: 'fine',
      files,
    } as const;
    const body = { ...about, ...outcome, latency_ms: 5, input_hmac: Buffer.alloc(32) };
    await this.say(source, { type: 'tool.settled', key, body });
    await this.turn();
  }
}

function outcomeOf(key: string): Settled {
  const [agent = '', step, attempt] = key.split('-');
  const slot = { agent, step: Number(step), attempt: Number(attempt) };
  const money = {
    tokens_in: 30,
    tokens_cached: 0,
    tokens_written: 0,
    tokens_out: 1,
    cost_micros: 40,
    price_version: 'v1',
  };
  const said = { stop_reason: 'stop', text: `the words of ${key}`, tool_calls: [], error: null };
  const by = { provider: 'test', model: 'm', request_hmac: Buffer.alloc(32, 7), provider_request_id: `req-${key}` };
  const versions = { templates: '', toolset: '' };
  const well = { outcome: 'completed', failure: 'none', code: '', retry_after_ms: 0, latency_ms: 7 } as const;
  return { ...slot, ...well, ...money, ...by, ...versions, ...said };
}

const report = {
  path: 'final/report.md',
  media_type: 'text/markdown',
  size: 3,
  sha256: 'ab',
  object: 'o',
  data_key: Buffer.alloc(32),
};

/** Plans, runs, refuses, loses, pays more, writes, and completes. */
export async function wholeJob(play: Play): Promise<void> {
  const agents = ['one', 'two'].map((id) => ({ id, role: id, task: 'work' }));
  await play.submit();
  await play.answer('a0-1-1', { name: 'submit_plan', args: { agents } });
  await play.post('m1');
  await play.post('m2');
  await play.turn();
  await play.lose('a1-1-1');
  const code = { language: 'python', code: 'print(1)', files: [] };
  await play.answer(
    'a2-1-1',
    { name: 'run_code', args: code },
    { name: 'list_files', args: {} },
    { name: 'no_such_tool', args: {} },
  );
  await play.tool('sandbox', 'a2-1-0-1');
  await play.tool('agent-runner', 'a2-1-1-1');
  await play.say('gateway', { type: 'job.budget-requested', key: 'b1', body: { budget_micros: 2_000_000, request } });
  await play.turn();
  await play.answer('a1-1-2');
  await play.answer('a2-2-1');
  await play.answer('a3-1-1', { name: 'write_artifact', args: { path: report.path, content: 'abc' } });
  await play.tool('agent-runner', 'a3-1-0-1', [report]);
  await play.answer('a3-2-1');
}
