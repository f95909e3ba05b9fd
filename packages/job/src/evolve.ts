import type { Fact, Item } from '@loom/log';
import { createHash } from 'node:crypto';
import { evolveCall } from './evolve-calls.ts';
import type { Agent, Artifact, Attempt, Job, Turn } from './state.ts';

/** Folds one fact into the state, which it changes and returns. Facts that were folded before are passed over; it never throws on a fact that is in the log. */
export function evolve(job: Job, fact: Fact): Job {
  if (fact.seq <= job.seq) return job;
  if (fact.decision !== null) markSent(job, fact);
  else for (const item of fact.items) evolveItem(job, item, fact);
  job.seq = fact.seq;
  job.time = fact.time;
  job.facts += 1;
  job.chain = createHash('sha256').update(job.chain).update(fact.sum).digest('hex');
  if (fact.source === 'orchestrator') job.orchestratorSeq = fact.seq;
  return job;
}

/** A dispatch only says that the request which its decision holds is on its way. */
function markSent(job: Job, dispatch: Fact): void {
  const slot = dispatch.type === 'step.requested' ? job.attempts.get(dispatch.key) : job.calls.get(dispatch.key);
  if (slot) slot.sent = true;
}

function evolveItem(job: Job, item: Item, fact: Fact): void {
  switch (item.type) {
    case 'job.submitted':
      job.submitted = item.body;
      job.submittedAt = fact.time;
      return;
    case 'job.accepted':
      job.accepted = item.body;
      job.money.cap = item.body.budget_micros;
      return;
    case 'agent.spawned': return spawn(job, item.body);
    case 'agent.finished': return finish(job, item.body);
    case 'step.requested': return requestStep(job, item.key, item.body, fact);
    case 'step.settled': return settleStep(job, item.key, item.body, fact);
    case 'artifact.written': return write(job, item.key, item.body, fact);
    case 'timer.fired':
      job.fired.add(item.key);
      return;
    case 'job.completed': case 'job.failed': case 'job.refused': case 'job.cancelled':
      job.ended ??= { at: fact.time, seq: fact.seq, type: item.type, body: item.body } as Job['ended'];
      return;
    default: return evolveRequest(job, item, fact);
  }
}

/** What people ask for, and what the orchestrator answers to it. */
function evolveRequest(job: Job, item: Item, fact: Fact): void {
  switch (item.type) {
    case 'message.posted':
      job.messages.push({ key: item.key, seq: fact.seq, time: fact.time, text: item.body.text, inReplyTo: item.body.in_reply_to });
      return answer(job, item.body.in_reply_to, item.body.text);
    case 'job.cancel-requested':
      job.cancelRequested = true;
      return;
    case 'job.kill-requested': return requestKill(job, item.body.agent, fact.time);
    case 'job.budget-requested':
      job.budgetAsks.push({ key: item.key, budgetMicros: item.body.budget_micros, answered: false });
      return;
    case 'budget.changed': return changeBudget(job, item.body.request, item.body.budget_micros);
    case 'budget.exhausted':
      job.exhausted = item.body.needed_micros;
      job.exhaustions += 1;
      return;
    case 'epoch.raised':
      job.epoch = item.body.epoch;
      return;
    default: return evolveCall(job, item, fact);
  }
}

function spawn(job: Job, spawned: Agent['spawned']): void {
  if (job.agents.has(spawned.agent)) return;
  job.agents.set(spawned.agent, { id: spawned.agent, spawned, turns: [], finished: null, killRequested: false });
  const call = spawned.call === null ? undefined : job.calls.get(spawned.call);
  if (!call) return;
  call.where = 'agent';
  call.child = spawned.agent;
}

function finish(job: Job, finished: NonNullable<Agent['finished']>): void {
  const agent = job.agents.get(finished.agent);
  if (!agent || agent.finished) return;
  agent.finished = finished;
  const call = agent.spawned.call === null ? undefined : job.calls.get(agent.spawned.call);
  if (call && !call.result) {
    const failed = finished.outcome !== 'done';
    call.result = { text: failed ? `The agent ${finished.outcome}: ${finished.reason ?? finished.code}` : resultOf(agent), failed, outcome: failed ? 'failed' : 'completed', code: finished.code };
  }
}

/** What an agent said last: its result for those who waited for it. */
export function resultOf(agent: Agent): string {
  return agent.turns.findLast((turn) => turn.reply !== null)?.reply?.text ?? '';
}

function requestStep(job: Job, key: string, body: Extract<Item, { type: 'step.requested' }>['body'], fact: Fact): void {
  const agent = job.agents.get(body.agent);
  if (!agent || job.attempts.has(key)) return;
  const attempt: Attempt = {
    key, agent: body.agent, step: body.step, attempt: body.attempt, epoch: body.epoch, reservedMicros: body.reserved_micros, requestedAt: fact.time, deadlineMs: body.deadline_ms,
    upto: body.upto, inputTokensMax: body.input_tokens_max, maxTokens: body.max_tokens, decision: fact.seq, sent: fact.type === 'step.requested', settled: null, settledAt: 0,
  };
  job.attempts.set(key, attempt);
  turnOf(agent, body.step).attempts.push(attempt);
  job.money.reserved += body.reserved_micros;
  job.exhausted = null;
}

function turnOf(agent: Agent, n: number): Turn {
  const last = agent.turns.at(-1);
  if (last?.n === n) return last;
  const turn: Turn = { n, attempts: [], reply: null, upto: 0, calls: [] };
  agent.turns.push(turn);
  return turn;
}

function settleStep(job: Job, key: string, body: Extract<Item, { type: 'step.settled' }>['body'], fact: Fact): void {
  const attempt = job.attempts.get(key);
  if (!attempt || attempt.settled) return;
  attempt.settled = body;
  attempt.settledAt = fact.time;
  job.money.reserved -= attempt.reservedMicros;
  job.money.settled += body.cost_micros;
  const turn = job.agents.get(attempt.agent)?.turns.find(({ n }) => n === attempt.step);
  if (!turn || body.outcome !== 'completed' || turn.reply) return;
  turn.reply = body;
  turn.upto = attempt.upto;
  body.tool_calls.forEach((call, index) => addCall(job, turn, attempt, call, index));
}

function addCall(job: Job, turn: Turn, attempt: Attempt, wanted: { id: string; name: string; args: string }, index: number): void {
  const key = `${attempt.agent}-${attempt.step}-${index}-1`;
  const call = {
    key, agent: attempt.agent, step: attempt.step, index, id: wanted.id, name: wanted.name, args: wanted.args, where: null, epoch: attempt.epoch, requestedAt: 0, deadlineMs: 0,
    reservedMicros: 0, decision: 0, sent: false, child: null, question: null, result: null, files: [],
  };
  turn.calls.push(call);
  job.calls.set(key, call);
}

function write(job: Job, key: string, body: Extract<Item, { type: 'artifact.written' }>['body'], fact: Fact): void {
  const artifact: Artifact = {
    key, seq: fact.seq, time: fact.time, agent: body.agent, path: body.path, mediaType: body.media_type, size: body.size, sha256: body.sha256, object: body.object, dataKey: body.data_key,
  };
  job.artifacts.set(key, artifact);
}

function answer(job: Job, question: string | null, text: string): void {
  const call = question === null ? undefined : job.calls.get(question);
  if (call?.where === 'person' && !call.result) call.result = { text, failed: false, outcome: 'completed', code: '' };
}

function requestKill(job: Job, id: string | null, time: number): void {
  job.haltedAt ||= time;
  const agent = id === null ? undefined : job.agents.get(id);
  if (id === null) job.killRequested = true;
  else if (agent) agent.killRequested = true;
}

function changeBudget(job: Job, request: string, cap: number): void {
  job.money.cap = cap;
  job.exhausted = null;
  const ask = job.budgetAsks.find(({ key }) => key === request);
  if (ask) ask.answered = true;
}
