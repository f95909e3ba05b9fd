import type { Message, ModelRequest, Situation } from '@loom/models';
import { resultOf } from './evolve.ts';
import type { Agent, Attempt, Job, Turn } from './state.ts';
import { nudges, systemPrompt } from '../templates.ts';
import { toolSpecs } from '../tools.ts';

/** Where in the log a conversation stands: facts up to `upto` are in it, the model and its output limit come from the request. */
export interface Moment {
  readonly agent: string;
  readonly step: number;
  readonly upto: number;
  readonly model: string;
  readonly maxTokens: number;
}

export const momentOf = (job: Job, attempt: Attempt): Moment => ({
  agent: attempt.agent,
  step: attempt.step,
  upto: attempt.upto,
  model: job.agents.get(attempt.agent)?.spawned.model ?? '',
  maxTokens: attempt.maxTokens,
});

/**
 * The model request of a step, made of the job's facts up to `moment.upto` alone: the decider bounds its size with it, the runner sends it, replay makes it again.
 * A state that was folded further gives the same request.
 */
export function conversation(job: Job, moment: Moment): ModelRequest {
  const agent = job.agents.get(moment.agent);
  if (!agent) throw new Error(`no agent ${moment.agent}`);
  const situation = situationOf(job, agent, moment.upto);
  const turns = agent.turns.filter((turn) => turn.n < moment.step && turn.reply !== null);
  const messages: Message[] = [{ role: 'user', text: opening(situationOf(job, agent, turns[0]?.upto ?? moment.upto)) }];
  let seen = -Infinity;
  for (const turn of turns) {
    said(job, messages, seen, turn.upto);
    messages.push(...exchange(agent, turn));
    seen = Math.max(seen, turn.upto);
  }
  said(job, messages, seen, moment.upto);
  return {
    model: moment.model,
    system: systemPrompt(agent.spawned.kind),
    messages: merged(messages),
    tools: toolSpecs(agent.spawned.kind),
    maxTokens: moment.maxTokens,
    situation,
  };
}

/** What people added to the brief between two moments; answers to questions are tool results instead. */
function said(job: Job, messages: Message[], after: number, upto: number): void {
  for (const { seq, text, inReplyTo } of job.messages)
    if (seq > after && seq <= upto && !(inReplyTo !== null && job.calls.get(inReplyTo)?.where === 'person'))
      messages.push({ role: 'user', text: `The person who wrote the brief adds:\n${text}` });
}

/** What a turn said and got, once it is over: it changes no more, and every later step says it again. */
const over = new WeakMap<Turn, readonly Message[]>();

function exchange(agent: Agent, turn: Turn): readonly Message[] {
  const known = over.get(turn);
  if (known !== undefined) return known;
  const messages = exchanged(agent, turn);
  if (turn.calls.every(({ result }) => result !== null)) over.set(turn, messages);
  return messages;
}

function exchanged(agent: Agent, turn: Turn): Message[] {
  const reply: Message = {
    role: 'assistant',
    text: turn.reply?.text ?? '',
    calls: turn.calls.map(({ id, name, args }) => ({ id, name, args })),
  };
  if (turn.calls.length === 0)
    return [reply, { role: 'user', text: nudges[agent.spawned.kind === 'planner' ? 'plan' : 'artifact'] }];
  const results = turn.calls.map((call) => ({
    id: call.id,
    name: call.name,
    text: call.result?.text ?? '',
    failed: call.result?.failed ?? true,
  }));
  return [reply, { role: 'tool', results }];
}

/** Providers want turns to alternate: neighbouring user messages become one. */
function merged(messages: readonly Message[]): Message[] {
  const out: Message[] = [];
  for (const message of messages) {
    const last = out.at(-1);
    if (message.role === 'user' && last?.role === 'user')
      out[out.length - 1] = { role: 'user', text: `${last.text}\n\n${message.text}` };
    else out.push(message);
  }
  return out;
}

function situationOf(job: Job, agent: Agent, upto: number): Situation {
  const { kind, role, task, files } = agent.spawned;
  return {
    kind,
    role,
    task,
    files,
    agent: agent.id,
    brief: job.submitted?.brief ?? '',
    attachments: (job.submitted?.attachments ?? []).map(({ name, media_type, size }) => ({ name, media_type, size })),
    results: agent.spawned.needs.flatMap((id) => resultsOf(job.agents.get(id))),
    artifacts: [...new Set([...job.artifacts.values()].filter(({ seq }) => seq <= upto).map(({ path }) => path))],
  };
}

function resultsOf(agent: Agent | undefined): Situation['results'] {
  if (!agent?.finished) return [];
  const { role, task } = agent.spawned;
  const text = agent.finished.outcome === 'done' ? resultOf(agent) : (agent.finished.reason ?? agent.finished.code);
  return [{ agent: agent.id, role, task, outcome: agent.finished.outcome, text }];
}

function opening(situation: Situation): string {
  const attachments =
    situation.attachments.map(({ name, media_type, size }) => `- ${name} (${media_type}, ${size} bytes)`).join('\n') ||
    '- none';
  const sections = [`# Brief\n${situation.brief}`, `# Attachments\n${attachments}`];
  if (situation.kind !== 'planner')
    sections.push(
      `# You are: ${situation.role}\n${situation.task}`,
      `# Your files\n${situation.files.map((name) => `- ${name}`).join('\n') || '- none'}`,
    );
  for (const { agent, role, outcome, text } of situation.results)
    sections.push(`# Result of ${agent} (${role}), ${outcome}\n${text}`);
  if (situation.kind === 'writer')
    sections.push(`# Files written so far\n${situation.artifacts.map((path) => `- ${path}`).join('\n') || '- none'}`);
  return sections.join('\n\n');
}

/**
 * Upper bound of a request's input tokens: no tokenizer makes more tokens than there are bytes of text, and 2,048 + 64 a part
 * cover what providers wrap around messages and tools.
 */
export function inputBound({ system, messages, tools }: ModelRequest): number {
  const text = messages.reduce((sum, message) => sum + sizeOf(message), sizeOf(tools));
  return (
    text + Buffer.byteLength(JSON.stringify(system)) + messages.length + 2_053 + 64 * (messages.length + tools.length)
  );
}

const sizes = new WeakMap<object, number>();

/** Bytes of JSON; kept, since most of a conversation was there a step before. */
function sizeOf(part: object): number {
  const known = sizes.get(part);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(JSON.stringify(part));
  sizes.set(part, size);
  return size;
}
