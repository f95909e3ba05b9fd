import {
  AskUser,
  Decline,
  Delegate,
  parseArgs,
  recordedOutcome,
  toolInput,
  RunCode,
  TOOLS,
  type Agent,
  type Call,
  type Job,
  type Turn,
} from '@loom/job';
import type { Attachment, Bodies } from '@loom/schemas';
import type { XSchema, XStatic } from 'typebox/schema';
import type { Spawns } from './budget.ts';
import { draft, type Decision } from './draft.ts';
import { followPlan } from './plan.ts';
import { refuseCall } from './refusal.ts';
import { termsOf } from './terms.ts';

/** Places the calls of a turn that nobody has placed yet: with the runner, the sandbox, a person or a helper agent; or refuses them. */
export function placeCalls(job: Job, agent: Agent, turn: Turn, spawns: Spawns): readonly Decision[] {
  const fresh = turn.calls.filter((call) => call.where === null && call.result === null);
  const plan = fresh.find((call) => call.name === 'submit_plan' || call.name === 'decline');
  if (plan && agent.spawned.kind === 'planner') return placeOne(job, agent, plan, spawns);
  return fresh.flatMap((call) => placeOne(job, agent, call, spawns));
}

function placeOne(job: Job, agent: Agent, call: Call, spawns: Spawns): readonly Decision[] {
  const tool = TOOLS[call.name];
  if (!tool?.kinds.includes(agent.spawned.kind))
    return [refuseCall(call, 'unknown_tool', `There is no tool ${JSON.stringify(call.name)} for you.`)];
  const most = termsOf(job).limits.max_fan_out;
  if (call.index >= most)
    return [refuseCall(call, 'fan_out', `At most ${most} tool calls a step are run; this one was not.`)];
  const parsed = parseArgs(tool.schema, call.args);
  if (!parsed.ok) return [refuseCall(call, 'bad_arguments', parsed.problem)];
  switch (tool.home) {
    case 'decider':
      return control(job, agent, call, spawns);
    case 'runner':
      return [draft('tool.requested', call.key, { ...common(job, call), args: call.args })];
    case 'sandbox':
      return run(job, agent, call);
  }
}

const common = (job: Job, call: Call) => ({
  agent: call.agent,
  step: call.step,
  call: call.index,
  attempt: 1,
  epoch: job.epoch,
  tool: call.name,
  reserved_micros: 0,
  deadline_ms: termsOf(job).limits.tool_deadline_ms,
});

function control(job: Job, agent: Agent, call: Call, spawns: Spawns): readonly Decision[] {
  switch (call.name) {
    case 'submit_plan':
      return followPlan(job, call);
    case 'decline':
      return decline(job, call);
    case 'ask_user':
      return ask(call);
    case 'delegate':
      return delegate(job, agent, call, spawns);
    default:
      return [refuseCall(call, 'unknown_tool', 'There is no such tool.')];
  }
}

/** A call whose arguments fit its schema, or its refusal. */
function withArgs<S extends XSchema>(
  schema: S,
  call: Call,
  use: (args: XStatic<S>) => readonly Decision[],
): readonly Decision[] {
  const parsed = parseArgs(schema, call.args);
  return parsed.ok ? use(parsed.args) : [refuseCall(call, 'bad_arguments', parsed.problem)];
}

const decline = (job: Job, call: Call): readonly Decision[] =>
  withArgs(Decline, call, (args) => [draft('job.refused', '0', { ...args, spent_micros: job.money.settled })]);

const ask = (call: Call): readonly Decision[] =>
  withArgs(AskUser, call, ({ question }) => [draft('input.requested', call.key, { agent: call.agent, question })]);

function delegate(job: Job, parent: Agent, call: Call, spawns: Spawns): readonly Decision[] {
  const { limits, models } = termsOf(job);
  const depth = parent.spawned.depth + 1;
  if (depth > limits.max_depth)
    return [refuseCall(call, 'depth', `Delegation goes ${limits.max_depth} deep at most: do it yourself.`)];
  if (spawns.left <= 0)
    return [refuseCall(call, 'too_many_agents', `A job has at most ${limits.max_agents} agents: do it yourself.`)];
  spawns.left -= 1;
  const agent = `a${spawns.next++}`;
  return withArgs(Delegate, call, ({ role, task, files = parent.spawned.files }) => [
    draft('agent.spawned', agent, {
      agent,
      parent: parent.id,
      call: call.key,
      depth,
      kind: 'worker',
      role,
      task,
      needs: [],
      required: false,
      model: models.worker,
      files,
    }),
  ]);
}

function run(job: Job, agent: Agent, call: Call): readonly Decision[] {
  return withArgs(RunCode, call, ({ files = agent.spawned.files }) => {
    const found = files.map((name) => find(job, name));
    const missing = found.indexOf(null);
    if (missing >= 0)
      return [
        refuseCall(call, 'unknown_file', `There is no attachment or artifact named ${JSON.stringify(files[missing])}.`),
      ];
    const inputs = found.filter((input) => input !== null);
    const unsealed = { call_key: Buffer.alloc(0), recorded: null };
    return [withRecord(job, call.key, { ...common(job, call), args: call.args, inputs, ...unsealed })];
  });
}

/** What the parent of a playback recorded of the same run; the sandbox, which opens nothing else, is given it with the call. */
export function withRecord(job: Job, key: string, body: Bodies['run.requested']): Decision {
  const found = recordedOutcome(job, key);
  if (found?.settled.type !== 'tool.settled' || found.asked === null) return draft('run.requested', key, body);
  if (!toolInput(found.asked).equals(toolInput({ type: 'run.requested', body })))
    return draft('run.requested', key, body);
  const { outcome, code, cost_micros, latency_ms, exit_code, result, files } = found.settled.body;
  const recorded = { outcome, code, cost_micros, latency_ms, exit_code, result, files };
  return draft('run.requested', key, { ...body, recorded });
}

function find(job: Job, name: string): Attachment | null {
  const attachment = job.submitted?.attachments.find((entry) => entry.name === name);
  if (attachment) return attachment;
  const artifact = [...job.artifacts.values()].findLast(({ path }) => path === name);
  if (!artifact) return null;
  return {
    name,
    media_type: artifact.mediaType,
    size: artifact.size,
    sha256: artifact.sha256,
    object: artifact.object,
    data_key: artifact.dataKey,
  };
}
