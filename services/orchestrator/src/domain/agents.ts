import { isSpent, lastTurn, mayPass, parkedAttempt, type Agent, type Attempt, type Job, type Turn } from '@loom/job';
import { stepRequest, type Purse } from './budget.ts';
import { placeCalls } from './calls.ts';
import { draft, type Decision } from './draft.ts';
import { termsOf } from './terms.ts';

type Finished = Extract<Decision, { type: 'agent.finished' }>['body'];

/** What one agent lacks: its first step, the calls of its last one, the next step, another attempt, or its end. */
export function advance(job: Job, agent: Agent, purse: Purse): readonly Decision[] {
  if (agent.finished) return [];
  if (agent.killRequested) return quiet(agent) ? [finish(agent, 'killed', 'killed', 'A person ended this agent.')] : [];
  const turn = lastTurn(agent);
  if (!turn) return begin(job, agent, purse);
  if (!turn.reply) return again(job, agent, turn, purse);
  if (turn.calls.some((call) => call.where === null && call.result === null))
    return placeCalls(job, agent, turn, purse.spawns);
  if (turn.calls.some((call) => call.result === null)) return [];
  return turn.calls.length > 0 || owes(job, agent, turn) ? next(job, agent, turn, purse) : end(job, agent, turn);
}

/** An agent begins when all that it needs has ended, well or badly: a failure is told to it. */
function begin(job: Job, agent: Agent, purse: Purse): readonly Decision[] {
  if (agent.spawned.needs.some((id) => !job.agents.get(id)?.finished)) return [];
  return request(job, agent, 1, 1, purse);
}

function next(job: Job, agent: Agent, turn: Turn, purse: Purse): readonly Decision[] {
  const most = termsOf(job).limits.max_steps;
  if (turn.n >= most) return [finish(agent, 'failed', 'step_limit', `It took ${most} steps without coming to an end.`)];
  return request(job, agent, turn.n + 1, 1, purse);
}

/**
 * A lost or failed attempt is followed by another with a reservation of its own, as far as its class and the limits allow. Behind the last one
 * the step is parked: an operator may have it tried once more.
 */
function again(job: Job, agent: Agent, turn: Turn, purse: Purse): readonly Decision[] {
  const attempt = turn.attempts.at(-1);
  const settled = attempt?.settled;
  if (!attempt || !settled) return [];
  if (!mayPass(attempt)) return [finish(agent, 'failed', settled.code, settled.error)];
  const spent = isSpent(attempt, termsOf(job).limits);
  const mayFollow = spent ? attempt.resolved?.outcome === 'redriven' : job.fired.has(`retry-${attempt.key}`);
  if (mayFollow) return request(job, agent, turn.n, attempt.attempt + 1, purse);
  if (!spent || parkedAttempt(job, agent)) return [];
  const why = `${attempt.attempt} attempts failed, the last with ${settled.code}.${givenUp(attempt)}`;
  return [finish(agent, 'failed', 'retries_exhausted', why)];
}

const givenUp = ({ resolved }: Attempt): string =>
  resolved === null ? '' : ` An operator gave it up: ${resolved.reason}`;

/** The request, when a slot is free and the worst case fits what is left; else the purse notes what was missing. */
function request(job: Job, agent: Agent, step: number, attempt: number, purse: Purse): readonly Decision[] {
  if (purse.slots <= 0) return [];
  const wanted = stepRequest(job, { agent, step, attempt });
  const micros = wanted.body.reserved_micros;
  if (micros > purse.micros) {
    purse.short ??= micros;
    return [];
  }
  purse.micros -= micros;
  purse.slots -= 1;
  return [wanted];
}

const patience = 3;

/** Whether an agent stopped short of what its kind must hand in and is told so once more. */
function owes(job: Job, agent: Agent, turn: Turn): boolean {
  const silent = agent.turns.filter((other) => other.reply !== null && other.calls.length === 0).length;
  return lacking(job, agent) !== null && silent < patience && turn.reply?.stop_reason !== 'refusal';
}

function lacking(job: Job, agent: Agent): string | null {
  if (agent.spawned.kind === 'planner') return 'no_plan';
  return agent.spawned.kind === 'writer' && job.artifacts.size === 0 ? 'nothing_written' : null;
}

function end(job: Job, agent: Agent, turn: Turn): readonly Decision[] {
  if (turn.reply?.stop_reason === 'refusal') return [finish(agent, 'failed', 'model_refused', turn.reply.text)];
  const missing = lacking(job, agent);
  return [
    missing === null
      ? finish(agent, 'done', '', null)
      : finish(agent, 'failed', missing, 'It stopped without handing in what it owed.'),
  ];
}

function finish(agent: Agent, outcome: Finished['outcome'], code: string, reason: string | null): Decision {
  const last = agent.turns.findLast(({ reply }) => reply !== null);
  return draft('agent.finished', agent.id, {
    agent: agent.id,
    outcome,
    code,
    reason,
    last_step: last ? `${agent.id}-${last.n}` : null,
  });
}

/** Whether no worker owes this agent an outcome. */
export function quiet(agent: Agent): boolean {
  return agent.turns.every(
    ({ attempts, calls }) =>
      attempts.every(({ settled }) => settled !== null) &&
      calls.every((call) => call.result !== null || (call.where !== 'runner' && call.where !== 'sandbox')),
  );
}
