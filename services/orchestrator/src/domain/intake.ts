import type { Bodies } from '@loom/schemas';
import { DECIDER, POLICY } from './version.ts';
import { draft, type Decision } from './draft.ts';
import { screen } from './screen.ts';
import { TEMPLATES, TOOLSET, type Job } from '@loom/job';

type Accepted = Bodies['job.accepted'];

/** All that a decision ever takes from outside the log: settings and prices, recorded once in `job.accepted`. */
export interface Intake {
  readonly models: Accepted['models'];
  readonly prices: Accepted['prices'];
  readonly priceVersion: string;
  readonly defaultBudgetMicros: number;
  readonly limits: Accepted['limits'];
}

/** Screens a new job and takes it in, or says why not. */
export function takeIn(job: Job, intake: Intake): readonly Decision[] {
  const submitted = job.submitted;
  if (!submitted) return [];
  const refusal = screen(submitted.brief);
  if (refusal) return [draft('job.refused', '0', { ...refusal, spent_micros: 0 })];
  const models = { ...intake.models, ...chosen(submitted.models) };
  const unpriced = Object.values(models).find((model) => !intake.prices.some((price) => price.model === model));
  if (unpriced !== undefined)
    return [
      draft('job.failed', '0', {
        code: 'unknown_model',
        reason: `The model ${unpriced} is not set up here. Choose one of: ${intake.prices.map(({ model }) => model).join(', ')}.`,
        spent_micros: 0,
      }),
    ];
  const accepted: Accepted = {
    decider: DECIDER,
    policy: POLICY,
    templates: TEMPLATES,
    toolset: TOOLSET,
    price_version: intake.priceVersion,
    prices: intake.prices.filter(({ model }) => Object.values(models).includes(model)),
    models,
    budget_micros: submitted.budget_micros ?? intake.defaultBudgetMicros,
    limits: intake.limits,
  };
  return [draft('job.accepted', '0', accepted), planner(accepted)];
}

const chosen = (models: Readonly<Record<string, string>>): Partial<Accepted['models']> =>
  Object.fromEntries(
    Object.entries(models).filter(([role]) => role === 'planner' || role === 'worker' || role === 'writer'),
  );

function planner(accepted: Accepted): Decision {
  return draft('agent.spawned', 'a0', {
    agent: 'a0',
    parent: null,
    call: null,
    depth: 0,
    kind: 'planner',
    role: 'planner',
    task: 'Plan the work.',
    needs: [],
    required: true,
    model: accepted.models.planner,
    files: [],
  });
}
