/** The settings of every simulated Loom: one priced model, and clocks short enough that a job's whole life is a minute. */
import type { Address } from '@loom/log';
import type { ModelInfo } from '@loom/models';
import type { Intake } from '@loom/orchestrator';

const price = {
  model: 'm',
  input_micros_per_mtok: 1_000_000,
  cached_micros_per_mtok: 0,
  output_micros_per_mtok: 10_000_000,
};

export const model: ModelInfo = { id: 'm', provider: 'anthropic', context: 1_000_000, maxOutput: 1_000, price };

export const intake: Intake = {
  models: { planner: 'm', worker: 'm', writer: 'm' },
  prices: [{ ...price, max_output_tokens: 1_000 }],
  priceVersion: 'simulated',
  defaultBudgetMicros: 1_000_000,
  limits: {
    max_agents: 8,
    max_depth: 2,
    max_fan_out: 4,
    max_steps: 4,
    max_attempts: 3,
    max_in_flight: 4,
    max_output_tokens: 1_000,
    step_deadline_ms: 20_000,
    tool_deadline_ms: 15_000,
    silence_ms: 300_000,
    parked_ms: 10_000,
  },
};

const tenant = 't1';
export const at: Address = { tenant, stream: 'job_0simulated' };
export const forkAt: Address = { tenant, stream: 'job_0forked' };
