/** A job as it stood at a sequence, for an operator: state, plan, budget, open questions, and what each model was told last. */
import { conversation, momentOf, stateHash, view } from '@loom/job';
import type { Agent, Job } from '@loom/job';
import { plain } from '@loom/gateway';
import { dollars } from '../client/swarm.ts';
import type { Output } from '../output.ts';

type Told = NonNullable<ReturnType<typeof toldOf>>;

/** Everything of it as JSON: bytes as hex, without keys, places of blobs, and who called from where. */
export function standing(job: Job): Readonly<Record<string, unknown>> {
  const { status, pending } = view(job);
  const { tenant, stream, seq, time, facts, chain } = job;
  const head = { job: stream, tenant, seq, time: new Date(time).toISOString(), facts, chain };
  return {
    ...head,
    state_hash: stateHash(job),
    status,
    budget: budgetOf(job),
    plan: planOf(job),
    pending,
    conversations: [...job.agents.values()].flatMap((agent) => toldOf(job, agent) ?? []),
    state: plain(job, ''),
  };
}

const budgetOf = ({ money, exhausted }: Job) => ({
  budget_micros: money.cap,
  spent_micros: money.settled,
  reserved_micros: money.reserved,
  needed_micros: exhausted,
});

function planOf(job: Job) {
  const shown = new Map(view(job).agents.map((agent) => [agent.id, agent]));
  return [...job.agents.values()].map(({ id, spawned }) => ({
    agent: id,
    kind: spawned.kind,
    role: spawned.role,
    task: spawned.task,
    needs: spawned.needs,
    required: spawned.required,
    status: shown.get(id)?.status ?? '',
    steps: shown.get(id)?.steps ?? 0,
  }));
}

/** The request of the agent's latest attempt, and its reply if there was one by then; null before its first. */
function toldOf(job: Job, { id, turns }: Agent) {
  const attempt = turns.at(-1)?.attempts.at(-1);
  if (attempt === undefined) return null;
  const { model, system, messages, tools } = conversation(job, momentOf(job, attempt));
  const { key, upto, settled } = attempt;
  const reply = settled && { outcome: settled.outcome, text: settled.text, tool_calls: settled.tool_calls };
  return { agent: id, step: key, upto, model, system, messages, tools: tools.map(({ name }) => name), reply };
}

export function tellState(job: Job, out: Output): void {
  out.record(standing(job));
  const { seq, facts, time, money } = job;
  const { status, pending, brief } = view(job);
  out.print(`${job.stream} at ${seq} (${facts} facts, ${new Date(time).toISOString()}): ${status}`);
  out.print(`state_hash ${stateHash(job)}`);
  out.print(`chain      ${job.chain}`);
  out.print(`brief      ${short(brief)}`);
  out.print(
    `budget     ${dollars(money.cap)}, spent ${dollars(money.settled)}, reserved ${dollars(money.reserved)}` +
      (job.exhausted === null ? '' : `, needs ${dollars(job.exhausted)}`),
  );
  for (const { agent, kind, role, status: state, steps, needs } of planOf(job))
    out.print(
      `agent ${agent.padEnd(4)} ${state.padEnd(8)} ${steps} steps  ${kind}: ${short(role)}${needs.length > 0 ? ` (needs ${needs.join(', ')})` : ''}`,
    );
  for (const { id, agent, question } of pending) out.print(`open ${id}: ${agent} asks ${short(question)}`);
  for (const agent of job.agents.values()) tellTalk(toldOf(job, agent), out);
}

function tellTalk(told: Told | null, out: Output): void {
  if (told === null) return;
  out.print(
    `\n── ${told.agent}, step ${told.step}, ${told.model}, facts up to ${told.upto}, tools ${told.tools.join(' ')}`,
  );
  out.print(`system: ${short(told.system)}`);
  for (const message of told.messages) for (const line of linesOf(message)) out.print(line);
  if (told.reply === null) return out.print('→ no answer yet');
  out.print(`→ ${told.reply.outcome}: ${told.reply.text}`);
  for (const { name, args } of told.reply.tool_calls) out.print(`→ calls ${name} ${short(args)}`);
}

function linesOf(message: Told['messages'][number]): readonly string[] {
  if (message.role === 'user') return [`user: ${message.text}`];
  if (message.role === 'tool')
    return message.results.map(({ name, text, failed }) => `${failed ? 'failed' : 'result'} ${name}: ${text}`);
  const calls = message.calls.map(({ name, args }) => `assistant calls ${name} ${short(args)}`);
  return message.text === '' ? calls : [`assistant: ${message.text}`, ...calls];
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
