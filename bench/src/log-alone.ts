/**
 * What the log alone takes of a step: the same two facts, sealed, summed, fenced, appended and handed over as Loom's are, by the same durables, with nobody who reads
 * or folds a job, decides, or asks a model. What Loom takes beyond it is its services' work; what it takes beyond the raw loop is the price of the facts.
 */
import { connectLog } from '@loom/log';
import type { Address, Fact, Head, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Bodies, FactType } from '@loom/schemas';
import { openVault } from '@loom/vault';
import type { Side } from './loom.ts';
import type { Meter } from './meter.ts';
import type { Work } from './protocol.ts';

const width = 200;

const place = ({ tenant, stream }: Address): Address => ({ tenant, stream });

function connectAs(source: 'orchestrator' | 'agent-runner', { url, rootKeyFile, streams }: Work): Promise<Log> {
  const vault = (connection: Log['connection']) => openVault({ connection, rootKeyFile });
  return connectLog({ servers: url, user: source, password: source, source, streams, vault });
}

/** About what a reminded planner's request and its answer hold. */
const requestOf = (step: number, upto: number): Bodies['step.requested'] => ({
  agent: 'a0',
  step,
  attempt: 1,
  epoch: 0,
  model: 'offline',
  max_tokens: 8192,
  input_tokens_max: 9000,
  reserved_micros: 0,
  price_version: 'bench-1',
  deadline_ms: 600_000,
  upto,
});

const answerTo = ({
  agent,
  step,
  attempt,
  model,
  price_version,
}: Bodies['step.requested']): Bodies['step.settled'] => ({
  agent,
  step,
  attempt,
  outcome: 'completed',
  failure: 'none',
  code: '',
  retry_after_ms: 0,
  provider: 'offline',
  model,
  tokens_in: 400,
  tokens_cached: 0,
  tokens_written: 0,
  tokens_out: 20,
  cost_micros: 0,
  price_version,
  latency_ms: 1,
  request_hmac: Buffer.alloc(32, 1),
  templates: 'bench-1',
  toolset: 'bench-1',
  provider_request_id: null,
  stop_reason: 'end',
  text: 'The figures of this step are looked through; nothing stands out, the next step may follow.',
  tool_calls: [],
  error: null,
});

/** Asks for the step behind each that was settled; what it last wrote of a job is the next fence. */
class Asker {
  readonly #log: Log;
  readonly #fences = new Map<string, Promise<number>>();

  constructor(log: Log) {
    this.#log = log;
  }

  async take({ type, key, seq, traceparent, ...at }: Head & { readonly type: FactType }): Promise<void> {
    if (type === 'job.submitted') return this.#ask(place(at), 1, seq, traceparent);
    if (type === 'step.settled') return this.#ask(place(at), Number(key.split('-')[1]) + 1, seq, traceparent);
  }

  async #ask(at: Address, step: number, seq: number, traceparent: string): Promise<void> {
    const before = (await this.#fences.get(at.stream)) ?? 0;
    const draft = { type: 'step.requested', key: `a0-${step}-1`, body: requestOf(step, seq) } as const;
    const fence = { seq, orchestratorSeq: before, chain: '0'.repeat(64) };
    const made = this.#log.decide(at, [draft], fence, { decider: 'bench-1', traceparent }).then(seqOf);
    this.#fences.set(at.stream, made);
    await made;
  }
}

function seqOf(made: { readonly seq: number } | null): number {
  if (made === null) throw new LoomError('internal', 'nobody else decides in this benchmark');
  return made.seq;
}

/** @param ended called for each job whose last step was asked for */
export async function logSide(work: Work, meter: Meter, ended: () => void): Promise<Side> {
  const [decider, runner] = await Promise.all([connectAs('orchestrator', work), connectAs('agent-runner', work)]);
  const stopping = new AbortController();
  const { signal } = stopping;
  const asker = new Asker(decider);
  const last = work.shape.kind === 'pingpong' ? work.shape.steps : 1;
  const settle = async ({ said, key, seq, traceparent, ...at }: Fact): Promise<void> => {
    if (said?.type !== 'step.requested') return;
    meter.received(at.stream);
    if (said.body.step >= last) return ended();
    meter.settling(at.stream);
    const draft = { type: 'step.settled', key, body: answerTo(said.body) } as const;
    await runner.append(place(at), draft, { basis: seq, traceparent });
  };
  const consuming = [
    decider.consume({ service: 'orchestrator', open: 'head', width, signal, handle: (head) => asker.take(head) }),
    runner.consume({ service: 'agent-runner', open: true, width, signal, handle: settle }),
  ];
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(consuming);
    await Promise.all([decider[Symbol.asyncDispose](), runner[Symbol.asyncDispose]()]);
  };
  return { begin: () => undefined, stop };
}
