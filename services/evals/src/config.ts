import { setting } from '@loom/service';

/** Where and how often suites run; without gateway or token none do, and the service only keeps their table. */
export const settings = {
  gatewayUrl: setting.optional('LOOM_GATEWAY_URL'),
  token: setting.optionalSecret('LOOM_EVALS_TOKEN'),
  suites: setting.list('LOOM_EVALS_SUITES', ['profile']),
  everyMinutes: setting.integer('LOOM_EVALS_MINUTES', { min: 1, max: 7 * 24 * 60 }, 24 * 60),
};
