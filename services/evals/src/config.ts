import { setting } from '@loom/service';

/** Where and how often suites run; without gateway, token or interval none do by themselves, and the service only keeps their table. */
export const settings = {
  gatewayUrl: setting.optional('LOOM_GATEWAY_URL'),
  token: setting.optionalSecret('LOOM_EVALS_TOKEN'),
  suites: setting.list('LOOM_EVALS_SUITES', ['profile']),
  /** 0: on demand alone. A suite costs what its jobs cost, so a schedule is asked for. */
  everyMinutes: setting.integer('LOOM_EVALS_MINUTES', { min: 0, max: 7 * 24 * 60 }, 0),
};
