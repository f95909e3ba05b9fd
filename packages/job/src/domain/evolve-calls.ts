import type { Fact } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { filedCalls, type Attempt, type Call, type Job, type Turn } from './state.ts';

type Request = Bodies['tool.requested'] | Bodies['run.requested'];

/** A call that a completed step wants; nobody has placed it yet. */
export function addCall(
  job: Job,
  turn: Turn,
  attempt: Attempt,
  wanted: { id: string; name: string; args: string },
  index: number,
): void {
  const key = `${attempt.agent}-${attempt.step}-${index}-1`;
  const call = {
    key,
    agent: attempt.agent,
    step: attempt.step,
    index,
    id: wanted.id,
    name: wanted.name,
    args: wanted.args,
    where: null,
    epoch: attempt.epoch,
    requestedAt: 0,
    deadlineMs: 0,
    reservedMicros: 0,
    decision: 0,
    sent: false,
    child: null,
    question: null,
    result: null,
    files: [],
  };
  turn.calls.push(call);
  job.calls.set(key, call);
}

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
  if (body.files.length > 0) job.filed = filedCalls(job);
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
