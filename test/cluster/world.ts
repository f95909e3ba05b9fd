/** Drafts, writers and read-backs for the trials on a cluster. */
import { lastSeqOf, type Address, type ClearFact, type Draft, type Fence, type Log } from '@loom/log';
import { LoomError } from '@loom/service';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** A fresh job's address. */
export const job = (): Address => ({ tenant: 'tacme', stream: `job_0${randomBytes(13).toString('hex')}` });

export const epoch = (key: string, number = 1): Draft => ({
  type: 'epoch.raised',
  key,
  body: { epoch: number, reason: 'killed' },
});

/** A request of a runner's tool: an item with sealed content. */
export function tool(key: string): Draft {
  const body = { agent: 'a1', step: 1, call: 0, attempt: 1, epoch: 0, tool: 'list_files', args: '{}' };
  return { type: 'tool.requested', key, body: { ...body, reserved_micros: 0, deadline_ms: 1000 } };
}

/** The outcome of a runner's tool call: `tool.settled` is one slot for completed and lost. */
export function outcome(key: string, result: string, lost = false): Draft {
  return {
    type: 'tool.settled',
    key,
    body: {
      agent: 'a1',
      step: 1,
      call: 0,
      attempt: 1,
      tool: 'list_files',
      outcome: lost ? 'lost' : 'completed',
      code: lost ? 'worker_lost' : '',
      cost_micros: 0,
      latency_ms: 1,
      exit_code: null,
      input_hmac: Buffer.alloc(0),
      result,
      files: [],
    },
  };
}

/** A fence on what was last seen. */
export const fence = (seq: number): Fence => ({ seq, orchestratorSeq: seq, chain: 'c0ffee' });

/** Runs `work` for 0..n-1, at most `width` at once; results in order. */
export async function each<T>(n: number, width: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < n; i = next++) results[i] = await work(i);
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

/** Every fact of every stream, in the order of each. A replica that is asked may be behind: it is asked until it is not. */
export async function everything(log: Log): Promise<ClearFact[]> {
  const facts: ClearFact[] = [];
  for (const stream of log.streams) {
    const upto = await lastSeqOf(log, stream);
    for (let after = 0; after < upto;) {
      for await (const fact of log.tail(stream, { after, upto })) {
        facts.push(fact);
        after = fact.seq;
      }
    }
  }
  return facts;
}

/** The facts of each job. */
export function byJob(facts: readonly ClearFact[]): ReadonlyMap<string, readonly ClearFact[]> {
  return Map.groupBy(facts, ({ stream }) => stream);
}

/** An append that was acknowledged. */
export interface Acked {
  readonly at: Address;
  readonly draft: Draft;
  readonly seq: number;
  /** By `performance.now()` when it was begun; by `awake()` when it was acknowledged. */
  readonly begun: number;
  readonly when: number;
}

/** How often this process looks whether it was held back, and from when on it takes itself to have been; ms. */
const [every, held] = [20, 100];
let [looked, lost] = [performance.now(), 0];

const heldBack = (now: number): number => (now - looked > held ? now - looked - every : 0);

setInterval(() => {
  const now = performance.now();
  lost += heldBack(now);
  looked = now;
}, every).unref();

/** Ms that this process was let run: where the machine stood still, so did this clock, and no server is blamed for it. */
export function awake(): number {
  const now = performance.now();
  return now - lost - heldBack(now);
}

export interface Publishing {
  readonly acked: readonly Acked[];
  /** Appends that gave up: whether they were stored is unknown. */
  readonly unknown: readonly { readonly at: Address; readonly draft: Draft }[];
  stop(): Promise<void>;
}

/** One writer a job, each appending one fact after the other, `pauseMs` apart. */
export function publishing(logs: readonly Log[], jobs: readonly Address[], pauseMs = 5): Publishing {
  const acked: Acked[] = [];
  const unknown: { at: Address; draft: Draft }[] = [];
  let stopped = false;
  const writer = async (at: Address, i: number): Promise<void> => {
    const log = logs[i % logs.length]!;
    for (let n = 0; !stopped; n++) {
      const draft = epoch(`e${n}`, n);
      const begun = performance.now();
      try {
        const { seq } = await log.append(at, draft);
        acked.push({ at, draft, seq, begun, when: awake() });
      } catch (cause) {
        if (LoomError.from(cause).code !== 'log_unavailable') throw cause;
        unknown.push({ at, draft });
      }
      await sleep(pauseMs);
    }
  };
  const writers = Promise.all(jobs.map(writer));
  writers.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopped = true;
    await writers;
  };
  return { acked, unknown, stop };
}

/** Acknowledged facts that are not where they were said to be, and places held twice. */
export function faultsOf(facts: readonly ClearFact[], { acked }: Pick<Publishing, 'acked'>): string[] {
  const stored = Map.groupBy(facts, ({ stream, key }) => `${stream}/${key}`);
  const twice = [...stored].filter(([, some]) => some.length > 1).map(([place]) => `twice: ${place}`);
  const lost = acked
    .filter(({ at, draft, seq }) => stored.get(`${at.stream}/${draft.key}`)?.[0]?.seq !== seq)
    .map(({ at, draft, seq }) => `lost: ${at.stream}/${draft.key} at ${seq}`);
  return [...twice, ...lost];
}

/** The longest times between two acknowledgements in a row, ms, longest first. */
export function gaps(acked: readonly Acked[], atLeastMs = 500): number[] {
  const times = acked.map(({ when }) => when).toSorted((a, b) => a - b);
  return times
    .slice(1)
    .map((time, i) => Math.round(time - times[i]!))
    .filter((gap) => gap >= atLeastMs)
    .toSorted((a, b) => b - a);
}

/** The code that a call fails with; `none` when it does not. */
export const failing = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (cause: unknown) => LoomError.from(cause).code,
  );
