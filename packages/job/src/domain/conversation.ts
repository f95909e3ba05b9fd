import type { ModelRequest, Situation, ToolSpec } from '@loom/models';
import { resultOf } from './evolve.ts';
import type { Agent, Attempt, Job, Turn } from './state.ts';
import { systemPrompt } from '../templates.ts';
import { Telling } from './telling.ts';
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

/** A model request, and an upper bound of its input tokens. */
interface Asked {
  readonly request: ModelRequest;
  readonly inputBound: number;
}

/**
 * The model request of a step, made of the job's facts up to `moment.upto` alone: the decider bounds its size with it, the runner sends it, replay makes it again.
 * A state that was folded further gives the same request.
 */
export function asked(job: Job, moment: Moment): Asked {
  const agent = job.agents.get(moment.agent);
  if (!agent) throw new Error(`no agent ${moment.agent}`);
  const { messages, bytes } = told(job, agent, moment);
  const { system, tools, size } = frameOf(agent.spawned.kind);
  const { model, maxTokens, upto } = moment;
  const request = { model, system, messages, tools, maxTokens, situation: situationOf(job, agent, upto) };
  return { request, inputBound: size + bytes + wrapped(messages.length, tools.length) };
}

export const conversation = (job: Job, moment: Moment): ModelRequest => asked(job, moment).request;

function told(job: Job, agent: Agent, { step, upto }: Moment): Telling {
  const turns = agent.turns.filter(({ n, reply }) => n < step && reply !== null);
  const telling = toldOver(job, agent, turns, turns[0]?.upto ?? upto).copy();
  for (const turn of turns.slice(telling.turns)) telling.take(job, agent, turn);
  telling.hear(job, upto);
  return telling;
}

/** What the first turns of an agent say, as far as they are over: those change no more, and every later step tells them again. */
const kept = new WeakMap<Agent, Telling>();

function toldOver(job: Job, agent: Agent, turns: readonly Turn[], upto: number): Telling {
  const known = kept.get(agent);
  const over = known?.begins(turns) ? known : began(job, agent, upto);
  for (const turn of turns.slice(over.turns)) {
    if (!isOver(turn)) break;
    over.take(job, agent, turn);
  }
  if (over.turns > (known?.turns ?? 0)) kept.set(agent, over);
  return over;
}

const began = (job: Job, agent: Agent, upto: number): Telling =>
  new Telling([{ role: 'user', text: opening(situationOf(job, agent, upto)) }]);

const isOver = ({ calls }: Turn): boolean => calls.every(({ result }) => result !== null);

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

/** What stands around every conversation of a kind of agent; its size in bytes of JSON. */
interface Frame {
  readonly system: string;
  readonly tools: readonly ToolSpec[];
  readonly size: number;
}

const frames = new Map<Situation['kind'], Frame>();

function frameOf(kind: Situation['kind']): Frame {
  const known = frames.get(kind);
  if (known !== undefined) return known;
  const [system, tools] = [systemPrompt(kind), toolSpecs(kind)];
  const frame = { system, tools, size: Buffer.byteLength(JSON.stringify(tools) + JSON.stringify(system)) };
  frames.set(kind, frame);
  return frame;
}

/**
 * What is added to the bytes of text, more than which no tokenizer makes tokens: 2,048 and 64 a part cover what providers wrap around messages and tools;
 * the rest is JSON's own between the parts.
 */
const wrapped = (messages: number, tools: number): number => 2_053 + messages + 64 * (messages + tools);
