import { logSettings, setting } from '@loom/service';

/** Settings of the agent-runner. Which models run where is read by `modelsFromEnv` of @loom/models from the same environment. */
export const settings = {
  ...logSettings('agent-runner'),
  rootKeyFile: setting.text('LOOM_ROOT_KEY_FILE'),
  /** Model calls and tools in hand at once; only free slots are pulled. */
  width: setting.integer('LOOM_RUNNER_WIDTH', { min: 1, max: 1_000 }, 16),
  anthropicKey: setting.optionalSecret('ANTHROPIC_API_KEY'),
  anthropicUrl: setting.optional('ANTHROPIC_BASE_URL'),
  openaiKey: setting.optionalSecret('OPENAI_API_KEY'),
  openaiUrl: setting.optional('OPENAI_BASE_URL'),
} as const;
