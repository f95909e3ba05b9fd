import type { Fact } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import type { Call, Job } from './state.ts';

type Request = Bodies['tool.requested'] | Bodies['run.requested'];

/** Tool calls: placed by the decider, settled by whoever does them. */
export function placeCall(job: Job, key: string, where: 'runner' | 'sandbox', body: Request, fact: Fact): void {
  const call = job.calls.get(key);
  if (!call || call.where !== null) return;
  Object.assign(call, {
    where,
    epoch: body.epoch,
    requestedAt: fact.time,
    deadlineMs: body.deadline_ms,
    reservedMicros: body.reserved_micros,
    decision: fact.seq,
    sent: fact.type === requestOf[where],
  } satisfies Partial<Call>);
  job.money.reserved += body.reserved_micros;
}

const requestOf = { runner: 'tool.requested', sandbox: 'run.requested' } as const;

export function refuseCall(job: Job, key: string, body: Bodies['tool.refused']): void {
  const call = job.calls.get(key);
  if (call && !call.result) call.result = { text: body.reason, failed: true, outcome: 'refused', code: body.code };
}

export function settleCall(job: Job, key: string, body: Bodies['tool.settled']): void {
  const call = job.calls.get(key);
  if (!call || call.result || call.where === null) return;
  call.result = { text: body.result, failed: body.outcome !== 'completed', outcome: body.outcome, code: body.code };
  call.files = body.files;
  job.money.reserved -= call.reservedMicros;
  job.money.settled += body.cost_micros;
}

export function askPerson(job: Job, key: string, question: string, time: number): void {
  const call = job.calls.get(key);
  if (!call || call.where !== null) return;
  call.where = 'person';
  call.question = question;
  call.requestedAt = time;
}
