/** What a job spent on what, from its state. */
import type { Agent, Job } from '../../../../../packages/job/src/pure.ts';

export interface Spending {
  readonly name: string;
  readonly micros: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly steps: number;
}

interface Outcome {
  readonly cost_micros: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
}

function add(sums: Map<string, Spending>, name: string, outcome: Outcome): void {
  const sum = sums.get(name) ?? { name, micros: 0, tokensIn: 0, tokensOut: 0, steps: 0 };
  sums.set(name, {
    name,
    micros: sum.micros + outcome.cost_micros,
    tokensIn: sum.tokensIn + outcome.tokens_in,
    tokensOut: sum.tokensOut + outcome.tokens_out,
    steps: sum.steps + 1,
  });
}

const outcomesOf = (agent: Agent) =>
  agent.turns.flatMap(({ attempts }) => attempts.flatMap(({ settled }) => (settled === null ? [] : [settled])));

function summed(job: Job, nameOf: (agent: Agent, model: string) => string): readonly Spending[] {
  const sums = new Map<string, Spending>();
  for (const agent of job.agents.values())
    for (const outcome of outcomesOf(agent)) add(sums, nameOf(agent, outcome.model), outcome);
  return [...sums.values()].toSorted((a, b) => b.micros - a.micros || b.tokensIn - a.tokensIn);
}

export const byModel = (job: Job): readonly Spending[] => summed(job, (_agent, model) => model);
export const byAgent = (job: Job): readonly Spending[] => summed(job, (agent) => `${agent.spawned.role} (${agent.id})`);
