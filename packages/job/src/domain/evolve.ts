import type { Fact, Item } from '@loom/log';
import type { Bodies, FactType } from '@loom/schemas';
import { addCall, askPerson, placeCall, refuseCall, settleCall } from './evolve-calls.ts';
import { advance, adopt, goOn, servedAct } from './fork.ts';
import type { Agent, Artifact, Attempt, Job, Turn } from './state.ts';

/** What a fact says to the state: its items, or for a dispatch only that a request is on its way. Never throws on a fact that is in the log. */
export function evolveFact(job: Job, fact: Fact, open: OpenBundle): void {
  if (fact.decision !== null) markSent(job, fact);
  else for (const item of fact.items) evolveItem(job, item, fact, open);
}

/** Makes facts of a bundle's bytes; who shows a job without the codec is given them made already. */
export type OpenBundle = (body: Bodies['job.forked']) => readonly Fact[];

/** A dispatch only says that the request which its decision holds is on its way. */
function markSent(job: Job, dispatch: Fact): void {
  const slot = dispatch.type === 'step.requested' ? job.attempts.get(dispatch.key) : job.calls.get(dispatch.key);
  if (slot) slot.sent = true;
}

type Fold<T extends FactType> = (job: Job, body: Bodies[T], fact: Fact, key: string, open: OpenBundle) => void;

/** What each fact does to the state of its job; null: nothing. A new fact must take its place here or the build breaks. */
const folds: { readonly [T in FactType]: Fold<T> | null } = {
  'job.submitted': submit,
  'job.accepted': accept,
  'job.forked': fork,
  'record.replayed': replay,
  'job.completed': (job, body, fact) =>
    void (job.ended ??= { at: fact.time, seq: fact.seq, type: 'job.completed', body }),
  'job.failed': (job, body, fact) => void (job.ended ??= { at: fact.time, seq: fact.seq, type: 'job.failed', body }),
  'job.refused': (job, body, fact) => void (job.ended ??= { at: fact.time, seq: fact.seq, type: 'job.refused', body }),
  'job.cancelled': (job, body, fact) =>
    void (job.ended ??= { at: fact.time, seq: fact.seq, type: 'job.cancelled', body }),
  'agent.spawned': spawn,
  'agent.finished': finish,
  'step.requested': requestStep,
  'step.settled': settleStep,
  'step.resolved': resolveStep,
  'tool.requested': (job, body, fact, key) => placeCall(job, key, 'runner', body, fact),
  'run.requested': (job, body, fact, key) => placeCall(job, key, 'sandbox', body, fact),
  'tool.refused': (job, body, _fact, key) => refuseCall(job, key, body),
  'tool.settled': (job, body, _fact, key) => settleCall(job, key, body),
  'input.requested': (job, body, fact, key) => askPerson(job, key, body.question, fact.time),
  'message.posted': post,
  'artifact.written': write,
  'timer.fired': (job, _body, _fact, key) => fire(job, key),
  'job.cancel-requested': (job) => void (job.cancelRequested = true),
  'job.kill-requested': (job, body, fact) => requestKill(job, body.agent, fact.time),
  'job.budget-requested': (job, body, _fact, key) =>
    void job.budgetAsks.push({ key, budgetMicros: body.budget_micros, answered: false }),
  'budget.changed': (job, body) => changeBudget(job, body.request, body.budget_micros),
  'budget.exhausted': exhaust,
  'epoch.raised': (job, body) => void (job.epoch = body.epoch),
  'decision.made': null,
  'step.claimed': null,
  'tool.claimed': null,
  'model.called': null,
  'tool.called': null,
  'workspace.closed': null,
  'artifact.expired': null,
  'content.shredded': null,
  'message.parked': null,
  'message.redriven': null,
  'message.dropped': null,
  'request.recorded': null,
  'account.opened': null,
  'session.opened': null,
  'suite.ran': null,
};

function evolveItem(job: Job, item: Item, fact: Fact, open: OpenBundle): void {
  const fold = folds[item.type] as Fold<FactType> | null;
  fold?.(job, item.body, fact, item.key, open);
  if (job.fork !== null) advance(job, job.fork);
}

function fork(job: Job, body: Bodies['job.forked'], _fact: Fact, _key: string, open: OpenBundle): void {
  if (job.fork === null) adopt(job, body, open(wanted(body)), (past, fact) => evolveFact(past, fact, open));
}

/** What came behind the fork point is nothing to a re-execution: it is not even opened. */
const wanted = (body: Bodies['job.forked']): Bodies['job.forked'] =>
  body.mode === 'playback' ? body : { ...body, bundle: body.bundle.filter(({ seq }) => seq <= body.from_seq) };

/** The mark of the fork point stands beside what is asked for again, and serves nothing. */
function replay(job: Job, body: Bodies['record.replayed'], fact: Fact, _key: string, open: OpenBundle): void {
  const act = body.type === 'job.forked' ? null : servedAct(job, body.seq);
  if (act !== null) evolveFact(job, { ...act, seq: fact.seq, time: fact.time }, open);
}

function submit(job: Job, body: Bodies['job.submitted'], fact: Fact): void {
  job.submitted = body;
  job.submittedAt = fact.time;
  job.silenceFrom = fact.time;
}

function accept(job: Job, body: Bodies['job.accepted']): void {
  job.accepted = body;
  job.money.cap = body.budget_micros;
  if (job.fork === null) return;
  job.fork.resumed = true;
  for (const agent of job.agents.values()) if (agent.finished === null) goOn(job, agent, body.models);
}

function post(job: Job, body: Bodies['message.posted'], fact: Fact, key: string): void {
  job.messages.push({ key, seq: fact.seq, time: fact.time, text: body.text, inReplyTo: body.in_reply_to });
  answer(job, body.in_reply_to, body.text);
}

function exhaust(job: Job, body: Bodies['budget.exhausted']): void {
  job.exhausted = body.needed_micros;
  job.exhaustions += 1;
}

/** A timer of silence either finds the job silent or starts counting from its last sign of life. */
function fire(job: Job, key: string): void {
  job.fired.add(key);
  if (key !== `silence-${job.silenceFrom}`) return;
  job.silent = job.activeAt <= job.silenceFrom;
  job.silenceFrom = job.activeAt;
}

function spawn(job: Job, spawned: Bodies['agent.spawned']): void {
  if (job.agents.has(spawned.agent)) return;
  job.agents.set(spawned.agent, { id: spawned.agent, spawned, turns: [], finished: null, killRequested: false });
  const call = spawned.call === null ? undefined : job.calls.get(spawned.call);
  if (!call) return;
  call.where = 'agent';
  call.child = spawned.agent;
}

function finish(job: Job, finished: Bodies['agent.finished']): void {
  const agent = job.agents.get(finished.agent);
  if (!agent || agent.finished) return;
  agent.finished = finished;
  const call = agent.spawned.call === null ? undefined : job.calls.get(agent.spawned.call);
  if (call && !call.result) {
    const failed = finished.outcome !== 'done';
    call.result = {
      text: failed ? `The agent ${finished.outcome}: ${finished.reason ?? finished.code}` : resultOf(agent),
      failed,
      outcome: failed ? 'failed' : 'completed',
      code: finished.code,
    };
  }
}

/** What an agent said last: its result for those who waited for it. */
export function resultOf(agent: Agent): string {
  return agent.turns.findLast((turn) => turn.reply !== null)?.reply?.text ?? '';
}

function requestStep(job: Job, body: Bodies['step.requested'], fact: Fact, key: string): void {
  const agent = job.agents.get(body.agent);
  if (!agent || job.attempts.has(key)) return;
  const attempt: Attempt = {
    key,
    agent: body.agent,
    step: body.step,
    attempt: body.attempt,
    epoch: body.epoch,
    reservedMicros: body.reserved_micros,
    requestedAt: fact.time,
    deadlineMs: body.deadline_ms,
    upto: body.upto,
    inputTokensMax: body.input_tokens_max,
    maxTokens: body.max_tokens,
    decision: fact.seq,
    sent: fact.type === 'step.requested',
    settled: null,
    settledAt: 0,
    resolved: null,
  };
  job.attempts.set(key, attempt);
  job.unsettled.set(key, attempt);
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

function settleStep(job: Job, body: Bodies['step.settled'], fact: Fact, key: string): void {
  const attempt = job.attempts.get(key);
  if (!attempt || attempt.settled) return;
  attempt.settled = body;
  attempt.settledAt = fact.time;
  job.unsettled.delete(key);
  job.money.reserved -= attempt.reservedMicros;
  job.money.settled += body.cost_micros;
  const turn = job.agents.get(attempt.agent)?.turns.find(({ n }) => n === attempt.step);
  if (!turn || body.outcome !== 'completed' || turn.reply) return;
  turn.reply = body;
  turn.upto = attempt.upto;
  body.tool_calls.forEach((call, index) => addCall(job, turn, attempt, call, index));
}

/** The first word on an attempt that has failed counts. */
function resolveStep(job: Job, { outcome, reason }: Bodies['step.resolved'], _fact: Fact, key: string): void {
  const attempt = job.attempts.get(key);
  if (attempt?.settled) attempt.resolved ??= { outcome, reason };
}

function write(job: Job, body: Bodies['artifact.written'], fact: Fact, key: string): void {
  const artifact: Artifact = {
    key,
    seq: fact.seq,
    time: fact.time,
    agent: body.agent,
    path: body.path,
    mediaType: body.media_type,
    size: body.size,
    sha256: body.sha256,
    object: body.object,
    dataKey: body.data_key,
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
