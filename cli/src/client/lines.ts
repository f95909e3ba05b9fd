/** Events of a job as plain lines, for logs and pipes: one a fact that a person would want to know of. */
import type { JobEvent } from './gateway.ts';
import { dollars } from './swarm.ts';

type Body = Readonly<Record<string, unknown>>;
type Line = (body: Body, key: string) => string;

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const lines: Readonly<Record<string, Line>> = {
  'job.accepted': (body) => `accepted, up to ${dollars(Number(body['budget_micros']))}`,
  'agent.spawned': (body) => `${text(body['agent'])} is the ${text(body['role'])}`,
  'step.requested': (body) =>
    `${text(body['agent'])} step ${text(body['step'])}${Number(body['attempt']) > 1 ? `, attempt ${text(body['attempt'])}` : ''}: thinking`,
  'step.settled': (body) =>
    `${text(body['agent'])} step ${text(body['step'])}: ${text(body['outcome'])}, ${Number(body['tokens_in']) + Number(body['tokens_out'])} tokens, ${dollars(Number(body['cost_micros']))}`,
  'tool.requested': (body) => `${text(body['agent'])} calls ${text(body['tool'])}`,
  'run.requested': (body) => `${text(body['agent'])} runs code`,
  'tool.settled': (body) =>
    `${text(body['agent'])} ${text(body['tool'])}: ${text(body['outcome'])}${body['code'] ? ` (${text(body['code'])})` : ''}`,
  'tool.refused': (body) => `${text(body['agent'])} ${text(body['tool'])}: refused (${text(body['code'])})`,
  'artifact.written': (body) => `file ${text(body['path'])}, ${text(body['size'])} bytes`,
  'agent.finished': (body) =>
    `${text(body['agent'])} ${text(body['outcome'])}${body['code'] ? ` (${text(body['code'])})` : ''}`,
  'budget.exhausted': (body) =>
    `waits for budget: ${dollars(Number(body['needed_micros']))} needed, ${dollars(Number(body['budget_micros']))} allowed`,
  'input.requested': (body) => `${text(body['agent'])} asks: ${text(body['question'])}`,
};

/** What an event says, decisions item by item; nothing for what only concerns the machine. */
export function linesOf(event: JobEvent): string[] {
  const { items, body, key, dispatch } = event.data as {
    items?: { type: string; key: string; body: Body }[];
    body?: Body;
    key?: string;
    dispatch?: boolean;
  };
  if (dispatch || event.type === 'delta') return [];
  const all = items ?? [{ type: event.type, key: key ?? '', body: body ?? {} }];
  return all.flatMap((item) => lines[item.type]?.(item.body, item.key) ?? []);
}
