/** Which variables each program reads, from the schemas that it reads them by. */
import { logSettings, setting } from '@loom/service';
import type { Setting } from '@loom/service';
import { setUpSettings } from '../../cli/src/commands/setup.ts';
import { settings as runner } from '../../services/agent-runner/src/config.ts';
import { settings as evals } from '../../services/evals/src/config.ts';
import { settings as gateway } from '../../services/gateway/src/config.ts';
import { settings as orchestrator } from '../../services/orchestrator/src/config.ts';
import { settings as retention } from '../../services/retention/src/config.ts';
import { settings as sandbox } from '../../services/sandbox/src/config.ts';

type Schema = Readonly<Record<string, Setting<unknown>>>;

const projection = (service: string, more: Schema = {}): Schema => ({
  ...logSettings(service),
  pgUrl: setting.url('LOOM_PG_URL'),
  ...more,
});

/** Read by everything that runs, or by Node itself. */
const general = ['LOOM_LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'NODE_EXTRA_CA_CERTS'];
/** Read by `modelsFromEnv`. */
const models = [
  ...['ANTHROPIC', 'OPENAI'].flatMap((name) => [`${name}_API_KEY`, `${name}_BASE_URL`]),
  ...['PLANNER', 'WORKER', 'WRITER', 'PRICES'].map((name) => `LOOM_MODEL_${name}`),
];
const passwords = ['GATEWAY', 'BILLING', 'AUDIT', 'RETENTION', 'EVALS', 'AGENT_RUNNER'].map(
  (role) => `LOOM_PG_PASSWORD_${role}`,
);

const schemas: Readonly<Record<string, Schema>> = {
  gateway,
  orchestrator,
  'agent-runner': runner,
  sandbox,
  billing: projection('billing'),
  audit: projection('audit'),
  retention: projection('retention', retention),
  evals: projection('evals', evals),
  setup: { ...setUpSettings, ...Object.fromEntries(passwords.map((name) => [name, setting.secret(name)])) },
};

export const programs = Object.keys(schemas);

/** Every variable that means something to a program. */
export function known(program: string): ReadonlySet<string> {
  const own = Object.values(schemas[program] ?? {}).map(({ name }) => name);
  return new Set([...own, ...general, ...(['orchestrator', 'agent-runner'].includes(program) ? models : [])]);
}

/** Variables without which it does not start. */
export const needed = (program: string): readonly string[] =>
  Object.values(schemas[program] ?? {})
    .filter(({ fallback }) => fallback === undefined)
    .map(({ name }) => name);
