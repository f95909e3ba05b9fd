import { logSettings, setting } from '@loom/service';

const minute = 60_000;
const day = 86_400_000;

/** Settings of the orchestrator. Limits are recorded in each `job.accepted`; changing one leaves jobs that run as they are. */
export const settings = {
  ...logSettings('orchestrator'),
  rootKeyFile: setting.text('LOOM_ROOT_KEY_FILE'),
  poolPublicKey: setting.text('LOOM_POOL_PUBLIC_KEY'),
  width: setting.integer('LOOM_ORCHESTRATOR_WIDTH', { min: 1, max: 1_000 }, 200),
  sweepMs: setting.integer('LOOM_SWEEP_MS', { min: 500, max: 60 * minute }, minute),
  defaultBudgetMicros: setting.integer('LOOM_DEFAULT_BUDGET_MICROS', { min: 0, max: 1_000_000_000_000 }, 10_000_000),
  maxAgents: setting.integer('LOOM_MAX_AGENTS', { min: 3, max: 1_000 }, 100),
  maxDepth: setting.integer('LOOM_MAX_DEPTH', { min: 1, max: 10 }, 3),
  maxFanOut: setting.integer('LOOM_MAX_FAN_OUT', { min: 1, max: 190 }, 50),
  maxSteps: setting.integer('LOOM_MAX_STEPS', { min: 1, max: 1_000 }, 40),
  maxAttempts: setting.integer('LOOM_MAX_ATTEMPTS', { min: 1, max: 20 }, 5),
  maxInFlight: setting.integer('LOOM_MAX_IN_FLIGHT', { min: 1, max: 1_000 }, 20),
  maxOutputTokens: setting.integer('LOOM_MAX_OUTPUT_TOKENS', { min: 256, max: 128_000 }, 16_000),
  stepDeadlineMs: setting.integer('LOOM_STEP_DEADLINE_MS', { min: 1_000, max: day }, 10 * minute),
  toolDeadlineMs: setting.integer('LOOM_TOOL_DEADLINE_MS', { min: 1_000, max: day }, 5 * minute),
  parkedMs: setting.integer('LOOM_PARKED_MS', { min: 0, max: 90 * day }, day),
  silenceMs: setting.integer('LOOM_SILENCE_MS', { min: 1_000, max: 365 * day }, 90 * day),
} as const;
