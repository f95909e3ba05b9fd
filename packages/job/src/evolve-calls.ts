import type { Fact, Item } from '@loom/log';
import type { Call, Job } from './state.ts';

/** Tool calls: placed by the decider, settled by whoever does them. */
export function evolveCall(job: Job, item: Item, fact: Fact): void {
  switch (item.type) {
    case 'tool.requested': return place(job, item.key, 'runner', item.body, fact);
    case 'run.requested': return place(job, item.key, 'sandbox', item.body, fact);
    case 'tool.refused': return refuse(job, item.key, item.body);
    case 'tool.settled': return settle(job, item.key, item.body);
    case 'input.requested': return ask(job, item.key, item.body.question, fact.time);
    default: return;
  }
}

type Request = Extract<Item, { type: 'tool.requested' | 'run.requested' }>['body'];

function place(job: Job, key: string, where: 'runner' | 'sandbox', body: Request, fact: Fact): void {
  const call = job.calls.get(key);
  if (!call || call.where !== null) return;
  Object.assign(call, {
    where, epoch: body.epoch, requestedAt: fact.time, deadlineMs: body.deadline_ms, reservedMicros: body.reserved_micros, decision: fact.seq, sent: fact.type === item(where),
  } satisfies Partial<Call>);
  job.money.reserved += body.reserved_micros;
}

const item = (where: 'runner' | 'sandbox') => (where === 'runner' ? 'tool.requested' : 'run.requested');

function refuse(job: Job, key: string, body: Extract<Item, { type: 'tool.refused' }>['body']): void {
  const call = job.calls.get(key);
  if (call && !call.result) call.result = { text: body.reason, failed: true, outcome: 'refused', code: body.code };
}

function settle(job: Job, key: string, body: Extract<Item, { type: 'tool.settled' }>['body']): void {
  const call = job.calls.get(key);
  if (!call || call.result || call.where === null) return;
  call.result = { text: body.result, failed: body.outcome !== 'completed', outcome: body.outcome, code: body.code };
  call.files = body.files;
  job.money.reserved -= call.reservedMicros;
  job.money.settled += body.cost_micros;
}

function ask(job: Job, key: string, question: string, time: number): void {
  const call = job.calls.get(key);
  if (!call || call.where !== null) return;
  call.where = 'person';
  call.question = question;
  call.requestedAt = time;
}
