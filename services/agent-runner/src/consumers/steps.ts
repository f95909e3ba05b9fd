/**
 * `step.requested` → a model call → `step.settled`.
 *
 * R1. A slot is settled once; a call that finds it settled is on record as `model.called`, so that its cost is not lost.
 * R2. Nothing is sent for a job that was killed or ended or is past the request's epoch, nor after the deadline, nor above the reservation.
 * R3. A call that costs is claimed before it is made, and before it is refused: whoever holds the claim may have paid. A claim of another
 *     (or of an earlier life of this process) is waited for until the deadline; then the attempt is lost and costs its whole reservation.
 *     The delivery count proves nothing.
 * R4. An outcome whose append failed is kept and appended again at the next delivery: the call is not made twice.
 * R5. What is sent is made of the job's facts up to the sequence that the request names, and its HMAC is on record.
 * R6. For a playback nothing is sent, claimed or counted: what the parent recorded of the same request is its outcome, else it is refused.
 */
import { randomBytes } from 'node:crypto';
import { asked, halted, replayOf } from '@loom/job';
import type { Job } from '@loom/job';
import type { Address, Fact } from '@loom/log';
import { cost, isFree, ModelFailure } from '@loom/models';
import type { ModelPort, ModelRequest, Price } from '@loom/models';
import { crashpoint, inSpan, LoomError } from '@loom/service';
import { allowance, overBound } from '../domain/bounds.ts';
import { isPlayback } from '../domain/playback.ts';
import { completed, failed, lost, refused, unsent, wasted } from '../domain/settle.ts';
import type { Attempted, StepRequest, StepSettled } from '../domain/settle.ts';
import { serveStep } from './playback.ts';
import { DRAINED } from './kills.ts';
import { outcomes } from './parts.ts';
import type { Parts } from './parts.ts';

interface Slot {
  readonly at: Address;
  readonly key: string;
  readonly request: StepRequest;
  readonly job: Job;
  /** Last sequence that the job was folded to when the call was made ready. */
  readonly basis: number;
  /** Unix ms. */
  readonly deadline: number;
}

/** A slot whose call may be made: by whom, with what, at which price. */
interface Call {
  readonly slot: Slot;
  readonly port: ModelPort;
  readonly price: Price;
  readonly model: ModelRequest;
}

/** Handles one delivery of `step.requested`; resolves once its slot is settled by someone. */
export async function handleStep(parts: Parts, fact: Fact): Promise<void> {
  if (fact.said?.type !== 'step.requested') return;
  const request = fact.said.body;
  const attributes = { 'loom.job': fact.stream, 'loom.key': fact.key, 'loom.model': request.model };
  await inSpan('agent-runner step', fact.traceparent, attributes, () => work(parts, fact, request));
}

async function work(parts: Parts, fact: Fact, request: StepRequest): Promise<void> {
  const at = { tenant: fact.tenant, stream: fact.stream };
  const job = await parts.jobs.at(at, Math.max(fact.seq, request.upto));
  const attempt = job.attempts.get(fact.key);
  const deadline = (attempt?.requestedAt ?? fact.time) + request.deadline_ms;
  const slot = { at, key: fact.key, request, job, basis: job.seq, deadline };
  const name = `${at.tenant}/${at.stream}/${fact.key}`;
  const kept = parts.unsettled.get(name);
  if (attempt?.settled && !kept) return;
  if (isPlayback(job)) return serveStep(parts, job, fact.key, request);
  const outcome = kept ?? (await outcomeOf(parts, slot));
  parts.unsettled.set(name, outcome);
  await settle(parts, slot, outcome);
  parts.unsettled.delete(name);
}

async function outcomeOf(parts: Parts, slot: Slot): Promise<StepSettled> {
  const call = halted(slot.job, slot.request) ?? plan(parts, slot);
  if (!(await claim(parts, slot))) return lost(unsent(slot.request), true);
  if (typeof call === 'string') return refused(unsent(slot.request), call);
  if (parts.log.now() >= slot.deadline) return lost(unsent(slot.request), false);
  return make(parts, call);
}

/** The call, or the code of what forbids it. */
function plan(parts: Parts, slot: Slot): Call | string {
  const { job, request } = slot;
  const info = parts.models.find(({ id }) => id === request.model);
  const port = info && parts.ports.get(info.provider);
  const price = priceOf(slot);
  if (!info || !port) return 'model_not_set_up';
  if (!price) return 'model_without_price';
  const { agent, step, upto, model, max_tokens: maxTokens } = request;
  const { request: wanted, inputBound } = asked(job, { agent, step, upto, model, maxTokens });
  const bounds = { inputBound, inputTokensMax: request.input_tokens_max, context: info.context };
  return overBound(bounds) ?? { slot, port, price, model: wanted };
}

const priceOf = ({ job, request }: Slot): Price | undefined =>
  job.accepted?.prices.find(({ model }) => model === request.model);

/**
 * False when another holds the claim and the deadline has passed. Each claim has a name of its own: with the worker's alone,
 * a second delivery to the same process would find the first one's claim its own and pay again. @throws LoomError `claimed_elsewhere` when it has not
 */
async function claim({ log, worker }: Parts, slot: Slot): Promise<boolean> {
  const price = priceOf(slot);
  if (price === undefined || isFree(price)) return true;
  const body = { worker: `${worker}-${randomBytes(4).toString('hex')}` };
  const { won } = await log.append(
    slot.at,
    { type: 'step.claimed', key: slot.key, body },
    { replay: replayOf(slot.job) },
  );
  if (!won && log.now() < slot.deadline) throw new LoomError('claimed_elsewhere');
  return won;
}

async function make(parts: Parts, call: Call): Promise<StepSettled> {
  const { slot, port, model } = call;
  if (isPlayback(slot.job)) throw new LoomError('internal', 'a playback calls no model');
  const attempted = await about(parts, call);
  const { agent, epoch } = slot.request;
  const guard = parts.kills.guard({ ...slot.at, agent, epoch }, allowance(slot.deadline, parts.log.now()));
  const onDelta = parts.log.live(slot.at.tenant, slot.at.stream, agent);
  const began = performance.now();
  const timed = (): Attempted => ({ ...attempted, latencyMs: Math.round(performance.now() - began) });
  try {
    const reply = await port.call(model, { signal: guard.signal, onDelta });
    crashpoint('agent-runner', 'called');
    return completed(timed(), reply);
  } catch (cause) {
    if (!(cause instanceof ModelFailure)) throw cause;
    return brokenOff(timed(), cause, guard.why());
  } finally {
    guard.done();
  }
}

/** A call that a kill ended is refused; one that failed, or that the end of this process cut short, may be tried again. */
function brokenOff(attempted: Attempted, { detail, message }: ModelFailure, why: string | null): StepSettled {
  if (why === null) return failed(attempted, detail, message);
  return why === DRAINED ? failed(attempted, { ...detail, code: DRAINED }, message) : refused(attempted, why, detail);
}

async function about({ vault }: Parts, { slot, port, price, model }: Call): Promise<Attempted> {
  const keys = await vault.open(slot.at.tenant, slot.at.stream);
  const requestHmac = keys.hmac('request', port.body(model));
  return { ...unsent(slot.request), provider: port.provider, requestHmac, costOf: (usage) => cost(price, usage) };
}

async function settle({ log, worker }: Parts, { at, key, basis, job }: Slot, body: StepSettled): Promise<void> {
  const replay = replayOf(job);
  const { won } = await log.append(at, { type: 'step.settled', key, body }, { basis, replay });
  outcomes.steps.add(1, { provider: body.provider, outcome: body.outcome, code: body.code });
  outcomes.tokens.add(body.tokens_in, { provider: body.provider, direction: 'in' });
  outcomes.tokens.add(body.tokens_out, { provider: body.provider, direction: 'out' });
  if (!won && body.request_hmac.length > 0)
    await log.append(at, { type: 'model.called', key: `${key}-${worker}`, body: wasted(key, body) }, { replay });
}
