import type { ClearFact, ClearItem } from '@loom/log';

/** A usage row, or what a fact adds to one: counts and money add up, the rest is what was said last. */
export interface Usage {
  readonly job: string;
  readonly kind: 'step' | 'workspace';
  readonly key: string;
  readonly agent: string;
  readonly step: number;
  readonly attempts: number;
  readonly outcome: string;
  readonly provider: string;
  readonly model: string;
  readonly price_version: string;
  readonly tokens_in: number;
  readonly tokens_cached: number;
  readonly tokens_out: number;
  readonly cost_micros: number;
  readonly tool_micros: number;
  readonly waste_micros: number;
  readonly seconds: number;
  /** Unix ms. */
  readonly at: number;
  readonly seq: number;
}

const nothing = {
  agent: '',
  step: 0,
  attempts: 0,
  outcome: '',
  provider: '',
  model: '',
  price_version: '',
  tokens_in: 0,
  tokens_cached: 0,
  tokens_out: 0,
  cost_micros: 0,
  tool_micros: 0,
  waste_micros: 0,
  seconds: 0,
} as const;

type Part = Pick<Usage, 'kind' | 'key'> & Partial<Usage>;

/** What an item adds to the usage, null for nothing. */
function partOf(item: ClearItem): Part | null {
  if (item.type === 'step.settled') {
    const { agent, step, outcome, provider, model, price_version, tokens_in, tokens_cached, tokens_out, cost_micros } =
      item.body;
    const said = {
      agent,
      step,
      outcome,
      provider,
      model,
      price_version,
      tokens_in,
      tokens_cached,
      tokens_out,
      cost_micros,
    };
    return { kind: 'step', key: `${agent}-${step}`, attempts: 1, ...said };
  }
  if (item.type === 'model.called') return wasted(item.body);
  if (item.type === 'tool.settled' && item.body.cost_micros > 0) {
    const { agent, step, cost_micros } = item.body;
    return { kind: 'step', key: `${agent}-${step}`, agent, step, tool_micros: cost_micros };
  }
  if (item.type === 'workspace.closed')
    return { kind: 'workspace', key: item.body.call, agent: agentOf(item.body.call), seconds: item.body.seconds };
  return null;
}

/** A call that lost its slot `<agent>-<n>-<attempt>`: the step's own tokens and cost stay what was settled. */
function wasted(body: { readonly agent: string; readonly slot: string; readonly cost_micros: number }): Part {
  const step = Number(/-(\d+)-\d+$/.exec(body.slot)?.[1] ?? 0);
  return { kind: 'step', key: `${body.agent}-${step}`, agent: body.agent, step, waste_micros: body.cost_micros };
}

const agentOf = (key: string): string => key.split('-')[0] ?? '';

/** What the facts of one tenant add, one entry a row, in order of first mention. Dispatches have no items, so nothing counts twice; a playback uses nothing. */
export function usageOf(facts: readonly ClearFact[]): readonly Usage[] {
  const rows = new Map<string, Usage>();
  for (const fact of facts) {
    if (fact.replay === 'playback') continue;
    for (const item of fact.items) {
      const part = partOf(item);
      if (part === null) continue;
      const row = { ...nothing, ...part, job: fact.stream, at: fact.time, seq: fact.seq };
      const name = `${row.job}/${row.kind}/${row.key}`;
      const before = rows.get(name);
      rows.set(name, before === undefined ? row : sum(before, row));
    }
  }
  return [...rows.values()];
}

/** The row after `next`; its time stays that of its first fact. */
export function sum(before: Usage, next: Usage): Usage {
  return {
    ...before,
    attempts: before.attempts + next.attempts,
    outcome: next.outcome || before.outcome,
    provider: next.provider || before.provider,
    model: next.model || before.model,
    price_version: next.price_version || before.price_version,
    tokens_in: before.tokens_in + next.tokens_in,
    tokens_cached: before.tokens_cached + next.tokens_cached,
    tokens_out: before.tokens_out + next.tokens_out,
    cost_micros: before.cost_micros + next.cost_micros,
    tool_micros: before.tool_micros + next.tool_micros,
    waste_micros: before.waste_micros + next.waste_micros,
    seconds: before.seconds + next.seconds,
    seq: next.seq,
  };
}

/** Engagements named by the jobs submitted among the facts. */
export function engagementsOf(
  facts: readonly ClearFact[],
): readonly { readonly job: string; readonly engagement: string }[] {
  return facts.flatMap((fact) =>
    fact.items.flatMap((item) =>
      item.type === 'job.submitted' ? [{ job: fact.stream, engagement: item.body.engagement }] : [],
    ),
  );
}
