/**
 * The model's provider, and its books. It lives outside of every process: who dies while a call is on its way pays for it all the same.
 * Owns the ledger, and what is wrong with a call at the moment at which it comes in:
 * P1  A call that costs is claimed in the log before it is sent.
 * P2  Nobody calls for work that was halted before they looked at the job.
 * P3  Nobody calls for a playback.
 */
import type { Random } from '@loom/chaos';
import type { PaidCall } from '@loom/check';
import { parseSubject, prefixOf } from '@loom/log';
import type { Fact } from '@loom/log';
import { ModelFailure } from '@loom/models';
import type { ModelPort, ModelReply, ModelRequest, Usage } from '@loom/models';
import type { Faults } from './faults.ts';
import { say } from './script.ts';
import { longestLag } from './server/server.ts';
import { matcher } from './server/subjects.ts';
import type { Server } from './server/server.ts';
import type { Held } from './server/stream.ts';
import { intake } from './terms.ts';
import type { Host } from './timeline.ts';

/** The delivery for which a call is made, and when it came in; simulated ms. */
export interface Delivered {
  readonly fact: Fact;
  readonly since: number;
}

const halts = new Set(['job.kill-requested', 'epoch.raised', 'job.cancelled', 'job.failed', 'job.completed']);

export class Provider {
  readonly paid: PaidCall[] = [];
  readonly findings: string[] = [];
  readonly #server: Server;
  readonly #faults: Faults;
  readonly #random: Random;
  #calls = 0;

  constructor(server: Server, faults: Faults, random: Random) {
    this.#server = server;
    this.#faults = faults;
    this.#random = random;
  }

  port(host: Host, delivered: Delivered): ModelPort {
    return {
      provider: 'anthropic',
      body: ({ messages }) => Buffer.from(JSON.stringify(messages)),
      call: (request, { signal }) => {
        this.#look(delivered);
        return this.#call(host, request, signal);
      },
    };
  }

  #look({ fact, since }: Delivered): void {
    const isIts = matcher(`${prefixOf(fact)}.>`);
    const known = this.#server.events.flatMap(({ messages }) => messages.filter(({ subject }) => isIts(subject)));
    const about = `${fact.key} is called for at ${this.#server.host.timeline.now}`;
    if (!known.some(({ subject }) => subject.endsWith(`.agent-runner.step.claimed.${fact.key}`)))
      this.findings.push(`paid before claimed: ${about}, nobody claimed it`);
    if (fact.replay === 'playback') this.findings.push(`replay acts: ${about}, in a playback`);
    const halt = known.find((held) => held.time < since - longestLag && stops(held, fact));
    if (halt !== undefined)
      this.findings.push(`halted work: ${about}, ${halt.subject} was there ${since - halt.time} ms before`);
  }

  #call(host: Host, request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const requestId = `call-${++this.#calls}`;
    const late = this.#faults.strikes('late answer');
    const latency = late ? intake.limits.step_deadline_ms + this.#random.below(9_000) : 5 + this.#random.below(300);
    const { promise, resolve, reject } = Promise.withResolvers<ModelReply>();
    const tell = (run: () => void): void => void host.timeline.in(1, host, run);
    const { host: outside } = this.#server;
    const coming = outside.timeline.in(latency, outside, () => {
      const reply = this.#answer(request, requestId);
      tell(() => (reply instanceof ModelFailure ? reject(reply) : resolve(reply)));
    });
    signal.addEventListener('abort', () => {
      if (this.#random.chance(0.5)) coming.cancel();
      reject(failure('transient', 'aborted', null));
    });
    return promise;
  }

  #answer(request: ModelRequest, requestId: string): ModelReply | ModelFailure {
    if (this.#faults.strikes('model failure')) return mishap(this.#random, requestId);
    const said = say(request, this.#random);
    const usage: Usage = { input: 100 + this.#random.below(2_000), cached: 0, output: 1 + this.#random.below(1_000) };
    this.paid.push({
      requestId,
      status: 200,
      asked: { model: request.model },
      tokensIn: usage.input,
      tokensOut: usage.output,
    });
    return { ...said, usage, model: request.model, requestId, stopReason: said.calls.length > 0 ? 'tools' : 'end' };
  }
}

/** Whether a fact that lies in the log forbids the work that another asks for. */
function stops({ subject }: Held, asked: Fact): boolean {
  const { type, key } = parseSubject(subject);
  if (!halts.has(type)) return false;
  return type !== 'job.kill-requested' || key === '0' || asked.key.startsWith(`${key}-`);
}

const failure = (
  kind: 'rate_limited' | 'transient' | 'terminal',
  code: string,
  requestId: string | null,
): ModelFailure =>
  new ModelFailure('The simulated provider failed.', {
    failure: kind,
    code,
    retryAfterMs: kind === 'rate_limited' ? 700 : 0,
    requestId,
    usage: null,
  });

function mishap(random: Random, requestId: string): ModelFailure {
  const kind = random.next();
  if (kind < 0.1) return failure('terminal', 'bad_request', requestId);
  return kind < 0.5
    ? failure('rate_limited', 'rate_limited', requestId)
    : failure('transient', 'overloaded', requestId);
}
