import type { ClearFact, ClearItem } from '@loom/log';

type Kind =
  | 'request'
  | 'sign_in'
  | 'operator'
  | 'decision'
  | 'refusal'
  | 'retry'
  | 'model_call'
  | 'tool_call'
  | 'operation';

/** What the trail keeps of an item: who did what to what, and what came of it. Never content. */
export interface AuditRow {
  readonly stream: string;
  readonly seq: number;
  readonly item: number;
  /** Unix ms. */
  readonly time: number;
  readonly kind: Kind;
  readonly source: string;
  readonly action: string;
  readonly target: string;
  readonly person: string;
  readonly outcome: string;
  readonly sum: string;
}

type Said = Pick<AuditRow, 'kind' | 'action' | 'target' | 'person' | 'outcome'>;

interface Request {
  readonly action: string;
  readonly target: string;
  readonly person: string;
}

/** Acts of an operator that carry no request block. */
function redressed(fact: ClearFact, item: ClearItem): Said | null {
  if (item.type === 'step.resolved')
    return { ...row(fact, item, 'operator', item.body.outcome), person: item.body.person };
  if (item.type !== 'message.redriven' && item.type !== 'message.dropped') return null;
  return { ...row(fact, item, 'operator', 'done'), person: item.body.person };
}

const requestOf = (item: ClearItem): Request | null =>
  'request' in item.body && typeof item.body.request === 'object' ? item.body.request : null;

/** A call at the API, a sign-in, or an operator's act. */
function called(fact: ClearFact, item: ClearItem, request: Request): Said {
  const signIn: Kind = item.type === 'session.opened' ? 'sign_in' : 'request';
  return {
    kind: fact.source === 'operator' ? 'operator' : signIn,
    action: request.action,
    target: request.target === '' ? fact.stream : request.target,
    person: request.person,
    outcome: item.type === 'request.recorded' ? item.body.outcome : 'done',
  };
}

/** Outcome and code where there is one: `failed rate_limited`. */
const both = (outcome: string, code: string): string => (code === '' ? outcome : `${outcome} ${code}`);

const row = (fact: ClearFact, item: ClearItem, kind: Kind, outcome: string): Said => ({
  kind,
  action: item.type,
  target: `${fact.stream}/${item.key}`,
  person: '',
  outcome,
});

/** Acts of services that are neither decisions nor work of an agent. */
const operations: ReadonlySet<string> = new Set([
  'message.parked',
  'content.shredded',
  'artifact.expired',
  'suite.ran',
]);

/** What a worker or another service reports; null for what is no act of the trail. */
function worked(fact: ClearFact, item: ClearItem): Said | null {
  if (item.type === 'step.settled') return row(fact, item, 'model_call', both(item.body.outcome, item.body.code));
  if (item.type === 'tool.settled') return row(fact, item, 'tool_call', both(item.body.outcome, item.body.code));
  if (item.type === 'model.called') return row(fact, item, 'model_call', 'slot_lost');
  if (item.type === 'tool.called') return row(fact, item, 'tool_call', both('slot_lost', item.body.outcome));
  return operations.has(item.type) ? row(fact, item, 'operation', 'done') : null;
}

/** A decision of the orchestrator: refusals and retries are told apart. */
function decided(fact: ClearFact, item: ClearItem): Said {
  if (item.type === 'job.refused' || item.type === 'tool.refused') return row(fact, item, 'refusal', item.body.code);
  if (item.type === 'step.requested' && item.body.attempt > 1)
    return row(fact, item, 'retry', `attempt ${item.body.attempt}`);
  if (item.type === 'job.failed' || item.type === 'job.cancelled') return row(fact, item, 'decision', item.body.code);
  if (item.type === 'agent.finished') return row(fact, item, 'decision', both(item.body.outcome, item.body.code));
  return row(fact, item, 'decision', 'done');
}

function said(fact: ClearFact, item: ClearItem): Said | null {
  const request = requestOf(item);
  if (request !== null) return called(fact, item, request);
  return fact.source === 'orchestrator' ? decided(fact, item) : (redressed(fact, item) ?? worked(fact, item));
}

/** The rows of a fact, one an item that is an act: API calls, sign-ins, decisions, model and tool calls, retries, refusals, operators' and services' acts. */
export function rowsOf(fact: ClearFact): readonly AuditRow[] {
  const { stream, seq, time, writer, sum } = fact;
  return fact.items.flatMap((item, index) => {
    const act = said(fact, item);
    return act === null ? [] : [{ stream, seq, item: index, time, source: writer, sum, ...act }];
  });
}
