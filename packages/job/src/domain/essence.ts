import type { Agent, Artifact, Attempt, Call, Job, Posted, Turn } from './state.ts';

/**
 * All that a state says, as canonical JSON: properties in the order of their names, maps in the order of the log.
 * Left out is what differs between two jobs that went the same way: ids of jobs and requests, sequences, times,
 * keyed hashes, keys and places of blobs, and who asked from where.
 */
export function essenceOf(job: Job): string {
  return canonical({
    submitted: job.submitted && submitted(job.submitted, job.fork),
    accepted: job.accepted,
    money: job.money,
    epoch: job.epoch,
    agents: [...job.agents.values()].map(agent),
    messages: job.messages.map(posted),
    artifacts: [...job.artifacts.values()].map(artifact),
    budgetAsks: job.budgetAsks.map(({ key: _key, ...ask }) => ask),
    exhausted: job.exhausted,
    exhaustions: job.exhaustions,
    cancelRequested: job.cancelRequested,
    killRequested: job.killRequested,
    fired: [...job.fired].map((timer) => timer.replace(/^silence-\d+$/, 'silence')),
    silent: job.silent,
    ended: job.ended && { type: job.ended.type, body: job.ended.body },
  });
}

/** A fork says what its parent says, whoever asked for it. */
function submitted(body: NonNullable<Job['submitted']>, fork: Job['fork']): unknown {
  const {
    request: _request,
    forked_from: _parent,
    from_seq: _seq,
    mode: _mode,
    tightened: _limits,
    attachments,
    ...rest
  } = body;
  return { ...rest, owner: fork?.owner ?? body.owner, attachments: attachments.map(file) };
}

const file = ({ data_key: _key, object: _place, ...rest }: { data_key: unknown; object: unknown }): unknown => rest;

const agent = ({ turns, ...rest }: Agent): unknown => ({ ...rest, turns: turns.map(turn) });

function turn({ upto: _upto, attempts, reply, calls, ...rest }: Turn): unknown {
  return { ...rest, attempts: attempts.map(attempt), replied: reply !== null, calls: calls.map(call) };
}

function attempt(slot: Attempt): unknown {
  const { requestedAt: _asked, upto: _upto, decision: _decision, settledAt: _at, settled, ...rest } = slot;
  if (settled === null) return { ...rest, settled };
  const { request_hmac: _hmac, ...outcome } = settled;
  return { ...rest, settled: outcome };
}

function call({ requestedAt: _asked, decision: _decision, files, ...rest }: Call): unknown {
  return { ...rest, files: files.map(file) };
}

const posted = ({ key: _key, seq: _seq, time: _time, ...rest }: Posted): unknown => rest;

function artifact(written: Artifact): unknown {
  const { seq: _seq, time: _time, object: _place, dataKey: _key, ...rest } = written;
  return rest;
}

/** JSON with the properties of every object in the order of their names; what is undefined is left out. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  let text = '';
  for (const [name, label] of orderOf(value)) {
    const part = (value as Readonly<Record<string, unknown>>)[name];
    if (part !== undefined) text += `${text === '' ? '' : ','}${label}${canonical(part)}`;
  }
  return `{${text}}`;
}

/** Names in their order, each also as JSON writes it: a state has thousands of objects of a dozen shapes. */
type Order = readonly (readonly [name: string, label: string])[];

const orders = new Map<string, Order>();
const mostOrders = 1000;

function orderOf(value: object): Order {
  const names = Object.keys(value);
  const shape = JSON.stringify(names);
  const known = orders.get(shape) ?? names.toSorted().map((name) => [name, `${JSON.stringify(name)}:`] as const);
  if (orders.size >= mostOrders) orders.clear();
  orders.set(shape, known);
  return known;
}
