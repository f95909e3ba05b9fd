import type { Fact } from '@loom/log';
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
  /** The job that a fork is forked from; null when its content cannot be opened any more. */
  readonly parent?: Parent | null;
}

/** For a decision that asks for no settings, or stands on those of a fork's parent: one that looks at them all the same comes out otherwise. */
export const noSettings: Intake = {
  models: { planner: '', worker: '', writer: '' },
  prices: [],
  priceVersion: '',
  defaultBudgetMicros: 0,
  limits: {
    max_agents: 0,
    max_depth: 0,
    max_fan_out: 0,
    max_steps: 0,
    max_attempts: 0,
    max_in_flight: 0,
    max_output_tokens: 0,
    step_deadline_ms: 0,
    tool_deadline_ms: 0,
    silence_ms: 0,
    parked_ms: 0,
  },
};

/** A parent as the fork takes it along. */
export interface Parent {
  readonly facts: readonly Fact[];
  /** For HMACs of its model requests. */
  readonly requestKey: Buffer;
}

/** Screens a new job and takes it in, or says why not. */
export function takeIn(job: Job, intake: Intake): readonly Decision[] {
  const submitted = job.submitted;
  if (!submitted) return [];
  const refused = refusalOf(submitted.brief);
  if (refused) return [refused];
  const accepted = termsFor(submitted, intake);
  return 'code' in accepted
    ? [draft('job.failed', '0', accepted)]
    : [draft('job.accepted', '0', accepted), planner(accepted)];
}

/** The end of a job whose brief no model is to see; null when it may go on. */
export function refusalOf(brief: string): Decision | null {
  const refusal = screen(brief);
  return refusal && draft('job.refused', '0', { ...refusal, spent_micros: 0 });
}

/** The terms that a job is taken in under, or why it cannot be. */
export function termsFor(submitted: Bodies['job.submitted'], intake: Intake): Accepted | Bodies['job.failed'] {
  const models = { ...intake.models, ...chosen(submitted.models) };
  const unpriced = Object.values(models).find((model) => !intake.prices.some((price) => price.model === model));
  if (unpriced !== undefined)
    return {
      code: 'unknown_model',
      reason: `The model ${unpriced} is not set up here. Choose one of: ${intake.prices.map(({ model }) => model).join(', ')}.`,
      spent_micros: 0,
    };
  return {
    decider: DECIDER,
    policy: POLICY,
    templates: TEMPLATES,
    toolset: TOOLSET,
    price_version: intake.priceVersion,
    prices: intake.prices.filter(({ model }) => Object.values(models).includes(model)),
    models,
    budget_micros: submitted.budget_micros ?? intake.defaultBudgetMicros,
    limits: tighter(intake.limits, submitted.tightened),
  };
}

/** Each limit at the lower of two values; names that are no limits say nothing. */
export const tighter = (limits: Accepted['limits'], others: Readonly<Record<string, number>>): Accepted['limits'] =>
  Object.fromEntries(
    Object.entries(limits).map(([name, value]) => [name, Math.min(value, others[name] ?? value)]),
  ) as Accepted['limits'];

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
