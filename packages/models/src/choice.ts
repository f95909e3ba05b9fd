import { LoomError } from '@loom/service';
import { modelTable } from './price-book.ts';
import { freePrice, priceVersionOf } from './pricing.ts';
import type { ModelInfo, Price, Provider } from './pricing.ts';

export type Role = 'planner' | 'worker' | 'writer';
export type RoleModels = Readonly<Record<Role, string>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** What this installation runs on. `notes` are for people: which mode runs, and why something costs nothing. */
export interface ModelChoice {
  /** Provider of the planner: the mode that is named to people. */
  readonly mode: Provider;
  readonly models: RoleModels;
  /** All models that may be asked for here, the three of the roles included. */
  readonly available: readonly ModelInfo[];
  readonly priceVersion: string;
  readonly notes: readonly string[];
}

/** A setting that cannot be used; the message names the variable and never shows a secret. */
const unusable = (variable: string, message: string, cause?: unknown): LoomError =>
  new LoomError('config_invalid', `${variable}: ${message}`, {
    field: variable,
    ...(cause === undefined ? {} : { cause }),
  });

const DEFAULTS: Readonly<Record<Provider, RoleModels>> = {
  anthropic: { planner: 'claude-opus-5-5', worker: 'claude-sonnet-5-5', writer: 'claude-sonnet-5-5' },
  openai: { planner: 'gpt-5.6-sol', worker: 'gpt-5.6-terra', writer: 'gpt-5.6-terra' },
  offline: { planner: 'offline', worker: 'offline', writer: 'offline' },
};

const VARIABLES: Readonly<Record<Role, string>> = {
  planner: 'LOOM_MODEL_PLANNER',
  worker: 'LOOM_MODEL_WORKER',
  writer: 'LOOM_MODEL_WRITER',
};
const ROLES: readonly Role[] = ['planner', 'worker', 'writer'];

/** Context and output limits assumed of a model that the table does not know. */
const UNKNOWN = { context: 128_000, maxOutput: 16_000 };

/**
 * Which provider and model each role gets. A key or base URL switches a provider on (Anthropic first when both are set); with none, `offline`.
 * @throws LoomError `config_invalid` for a model without a price, or one whose provider is not set up.
 */
export function modelsFromEnv(env: Env): ModelChoice {
  const providers = providersOf(env);
  const mode = providers[0] ?? 'offline';
  const overrides = pricesOf(env);
  const models = rolesOf(env, mode);
  const chosen = ROLES.map((role) => resolve(models[role], VARIABLES[role], { env, providers, overrides }));
  const known = modelTable
    .filter(({ provider }) => provider === 'offline' || providers.includes(provider))
    .map(priced(overrides));
  const available = unique([
    ...chosen.map(({ info }) => info),
    ...known,
    ...overrides.map((price) => assumed(price, providers)),
  ]);
  return {
    mode: chosen[0]?.info.provider ?? mode,
    models,
    available,
    priceVersion: priceVersionOf(available.map(({ price }) => price)),
    notes: [...new Set([modeNote(mode), ...chosen.flatMap(({ note }) => note)])],
  };
}

/** The model of that name, or undefined when this installation cannot run it. */
export function modelOf(choice: Pick<ModelChoice, 'available'>, id: string): ModelInfo | undefined {
  return choice.available.find((info) => info.id === id);
}

/** Providers that are set up, in order of preference. */
export function providersOf(env: Env): readonly Provider[] {
  const set = (...names: string[]): boolean => names.some((name) => Boolean(env[name]?.trim()));
  return [
    ...(set('ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL') ? (['anthropic'] as const) : []),
    ...(set('OPENAI_API_KEY', 'OPENAI_BASE_URL') ? (['openai'] as const) : []),
  ];
}

function rolesOf(env: Env, mode: Provider): RoleModels {
  const of = (role: Role): string => env[VARIABLES[role]]?.trim() || DEFAULTS[mode][role];
  return { planner: of('planner'), worker: of('worker'), writer: of('writer') };
}

interface Known {
  readonly env: Env;
  readonly providers: readonly Provider[];
  readonly overrides: readonly Price[];
}

function resolve(id: string, variable: string, known: Known): { info: ModelInfo; note: readonly string[] } {
  const info = modelTable.find((model) => model.id === id);
  const provider = info?.provider ?? guess(id, known.providers);
  if (provider !== 'offline' && !known.providers.includes(provider)) {
    throw unusable(
      variable,
      `the model ${id} needs ${provider.toUpperCase()}_API_KEY or ${provider.toUpperCase()}_BASE_URL`,
    );
  }
  if (info) return { info: priced(known.overrides)(info), note: [] };
  const price = known.overrides.find(({ model }) => model === id);
  if (price) return { info: { id, provider, ...UNKNOWN, price }, note: [] };
  return unpriced(id, provider, variable, known.env);
}

function unpriced(
  id: string,
  provider: Provider,
  variable: string,
  env: Env,
): { info: ModelInfo; note: readonly string[] } {
  const url = env[`${provider.toUpperCase()}_BASE_URL`] ?? '';
  if (!isPrivate(url)) throw unusable(variable, `no price is known for the model ${id}: give one in LOOM_MODEL_PRICES`);
  return {
    info: { id, provider, ...UNKNOWN, price: freePrice(id) },
    note: [`${id} runs on a private address and is counted as costing nothing`],
  };
}

/** A model that the table does not know: Claude by its name, else any server that speaks OpenAI's protocol. */
function guess(id: string, providers: readonly Provider[]): Provider {
  if (id.startsWith('claude-')) return 'anthropic';
  return providers.includes('openai') ? 'openai' : (providers[0] ?? 'openai');
}

const assumed = (price: Price, providers: readonly Provider[]): ModelInfo => ({
  id: price.model,
  provider: guess(price.model, providers),
  ...UNKNOWN,
  price,
});

const priced =
  (overrides: readonly Price[]) =>
  (info: ModelInfo): ModelInfo => ({ ...info, price: overrides.find(({ model }) => model === info.id) ?? info.price });

const unique = (infos: readonly ModelInfo[]): readonly ModelInfo[] =>
  infos.filter((info, at) => infos.findIndex(({ id }) => id === info.id) === at);

const modeNote = (mode: Provider): string =>
  mode === 'offline'
    ? 'offline mode: rules and real code, no language model; set ANTHROPIC_API_KEY, OPENAI_API_KEY or a base URL for a real swarm'
    : `models by ${mode}`;

/** Whether an address is loopback, link-local or of a private network (RFC 1918, RFC 4193), judged by its name alone. */
export function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || /\.(local|internal|localhost)$/.test(host)) return true;
  if (host.includes(':')) return /^f[cd][0-9a-f]{2}:/.test(host) || host.startsWith('fe80:');
  return /^(127|10)(\.\d+){3}$|^192\.168(\.\d+){2}$|^172\.(1[6-9]|2\d|3[01])(\.\d+){2}$|^169\.254(\.\d+){2}$/.test(
    host,
  );
}

const FIELDS = ['model', 'input_micros_per_mtok', 'cached_micros_per_mtok', 'output_micros_per_mtok'] as const;

/** LOOM_MODEL_PRICES: a JSON array of prices, in integer micro-USD per million tokens. */
function pricesOf(env: Env): readonly Price[] {
  const text = env.LOOM_MODEL_PRICES?.trim();
  if (!text) return [];
  const rows = parse(text);
  if (!Array.isArray(rows) || !rows.every(isPrice)) {
    throw unusable(
      'LOOM_MODEL_PRICES',
      `must be a JSON array of objects with ${FIELDS.join(', ')} (integers of 0 or more)`,
    );
  }
  return rows;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unusable('LOOM_MODEL_PRICES', 'is no JSON', cause);
  }
}

function isPrice(row: unknown): row is Price {
  if (typeof row !== 'object' || row === null) return false;
  const { model, ...numbers } = row as Record<string, unknown>;
  const values = FIELDS.slice(1).map((field) => numbers[field]);
  return (
    typeof model === 'string' &&
    model !== '' &&
    Object.keys(numbers).length === values.length &&
    values.every((value) => Number.isSafeInteger(value) && Number(value) >= 0)
  );
}
