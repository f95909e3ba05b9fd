/** A job as gateway and decider would write it: an attachment, one worker, and what it is asked to do. */
import { randomBytes } from 'node:crypto';
import { asked, foldJob, TEMPLATES, TOOLSET } from '@loom/job';
import type { Address, Draft, Fact, Log } from '@loom/log';
import { modelTable, reserve } from '@loom/models';
import type { Price } from '@loom/models';
import type { Attachment, Bodies, FactType } from '@loom/schemas';
import type { World } from './world.ts';

export const MODEL = 'claude-sonnet-5-5';

const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '192.0.2.7', user_agent: 'test' };
const draft = <T extends FactType>(type: T, key: string, body: Bodies[T]): Draft => ({ type, key, body }) as Draft;

function priceOf(model: string): Price {
  const info = modelTable.find(({ id }) => id === model);
  if (!info) throw new Error(`no model ${model}`);
  return info.price;
}

const submitted = (attachment: Attachment): Bodies['job.submitted'] => ({
  brief: 'Count the rows.',
  attachments: [attachment],
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
});

const COUNTS = { max_agents: 10, max_depth: 3, max_fan_out: 10, max_steps: 10, max_attempts: 3, max_in_flight: 4 };
const TIMES = { step_deadline_ms: 60_000, tool_deadline_ms: 60_000, silence_ms: 60_000, parked_ms: 60_000 };

const accepted = (model: string): Bodies['job.accepted'] => ({
  decider: 'test',
  policy: 'test',
  templates: TEMPLATES,
  toolset: TOOLSET,
  price_version: 'test',
  prices: [{ ...priceOf(model), max_output_tokens: 1000 }],
  models: { planner: model, worker: model, writer: model },
  budget_micros: 1_000_000_000,
  limits: { ...COUNTS, ...TIMES, max_output_tokens: 1000 },
});

const worker = (model: string): Bodies['agent.spawned'] => ({
  agent: 'a1',
  parent: null,
  call: null,
  depth: 1,
  kind: 'worker',
  role: 'analyst',
  task: 'Count.',
  needs: [],
  required: true,
  model,
  files: ['data.csv'],
});

/** A job with an attachment `data.csv` and one worker, `a1`, ready for its first step. */
export async function jobWithWorker(
  { gateway, orchestrator, blobs }: World,
  settings: { readonly model?: string; readonly file?: Buffer } = {},
): Promise<Address> {
  const { model = MODEL, file = Buffer.from('a,b\n1,2\n') } = settings;
  const at = { tenant: 'tacme', stream: `job_0${randomBytes(13).toString('hex')}` };
  const { object, size, sha256, dataKey } = await blobs.put({ tenant: at.tenant, job: at.stream }, file);
  const attachment = { name: 'data.csv', media_type: 'text/csv', size, sha256, object, data_key: dataKey };
  await gateway.append(at, draft('job.submitted', '0', submitted(attachment)));
  const drafts = [draft('job.accepted', '0', accepted(model)), draft('agent.spawned', 'a1', worker(model))];
  await decide(orchestrator, at, drafts);
  return at;
}

async function decide(log: Log, at: Address, drafts: readonly Draft[]): Promise<void> {
  if (!(await log.decide(at, drafts, await foldJob(log, at)))) throw new Error('another decider won');
}

/** Asks for a model call of `a1` as the decider would; answers the fact as a runner is handed it. */
export async function askStep(
  { orchestrator: log }: World,
  at: Address,
  change: Partial<Bodies['step.requested']> = {},
): Promise<Fact> {
  const job = await foldJob(log, at);
  const model = job.agents.get('a1')?.spawned.model ?? '';
  const { inputBound: bound } = asked(job, { agent: 'a1', step: 1, upto: job.seq, model, maxTokens: 1000 });
  const money = { reserved_micros: reserve(priceOf(model), bound, 1000), price_version: 'test' };
  const limits = { max_tokens: 1000, input_tokens_max: bound, deadline_ms: 60_000 };
  const body = { agent: 'a1', step: 1, attempt: 1, epoch: job.epoch, model, ...limits, ...money, upto: job.seq };
  await decide(log, at, [draft('step.requested', 'a1-1-1', { ...body, ...change })]);
  return found(await log.get(at, 'orchestrator', 'step.requested', 'a1-1-1'));
}

/** Asks for a tool of the runner, as a call of the first step. */
export async function askTool(
  { orchestrator: log }: World,
  at: Address,
  { tool, args, call = 0 }: { readonly tool: string; readonly args: unknown; readonly call?: number },
): Promise<Fact> {
  const { epoch } = await foldJob(log, at);
  const place = { agent: 'a1', step: 1, call, attempt: 1, epoch };
  const body = { ...place, tool, args: JSON.stringify(args), reserved_micros: 0, deadline_ms: 60_000 };
  await decide(log, at, [draft('tool.requested', `a1-1-${call}-1`, body)]);
  return found(await log.get(at, 'orchestrator', 'tool.requested', `a1-1-${call}-1`));
}

export const raiseEpoch = ({ orchestrator }: World, at: Address): Promise<void> =>
  decide(orchestrator, at, [draft('epoch.raised', '1', { epoch: 1, reason: 'killed' })]);

export const kill = ({ gateway }: World, at: Address): Promise<unknown> =>
  gateway.append(at, draft('job.kill-requested', '0', { agent: null, request }));

function found(fact: Fact | null): Fact {
  if (!fact) throw new Error('the fact is not there');
  return fact;
}

/** Bodies of all facts of a type that the job holds, in order. */
export async function facts<T extends FactType>(log: Log, at: Address, type: T): Promise<Bodies[T][]> {
  const out: Bodies[T][] = [];
  for await (const fact of log.read(at)) {
    for (const item of fact.items) if (item.type === type) out.push(item.body as Bodies[T]);
  }
  return out;
}
