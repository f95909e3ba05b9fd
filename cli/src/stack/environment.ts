/**
 * What each service is told by its environment. Least privilege: a service gets its own passwords, and only the keys
 * and addresses that its row names.
 */
import { roleUrl, schemasOf } from './migrate.ts';

export type Env = Readonly<Record<string, string | undefined>>;

interface Row {
  /** May open content: gets the root key file. */
  readonly opens?: true;
  /** Gets the providers' keys and addresses. */
  readonly models?: true;
  readonly sandbox?: true;
}

/** Every service of a stack, in the order they are started. */
export const services: Readonly<Record<string, Row>> = {
  orchestrator: { opens: true, models: true },
  'agent-runner': { opens: true, models: true },
  sandbox: { sandbox: true },
  billing: {},
  audit: {},
  retention: { opens: true },
  gateway: { opens: true },
  evals: { opens: true },
};

/** Replicas by service; one of each that is not named, none where it says 0. */
export type Replicas = Readonly<Record<string, number>>;

/** The service that a replica is one of. */
export const serviceOf = (replica: string): string => replica.replace(/-\d+$/, '');

/** Names of all replicas, in the order of the table. */
export function replicaNames(replicas: Replicas): readonly string[] {
  return Object.keys(services).flatMap((service) =>
    Array.from({ length: replicas[service] ?? 1 }, (_, at) => (at === 0 ? service : `${service}-${at + 1}`)),
  );
}

/** All that the services are told about, known once NATS and Postgres are up. */
export interface Facts {
  readonly natsUrl: string;
  readonly natsPasswords: Readonly<Record<string, string>>;
  /** As superuser. */
  readonly postgresUrl: string;
  readonly postgresPasswords: Readonly<Record<string, string>>;
  readonly rootKeyFile: string;
  readonly poolKeyFile: string;
  readonly poolPublicKey: string;
  readonly issuer: string;
  readonly issuerPublicKey: string;
  readonly authorizedParty: string;
  readonly evalsToken: string;
  /** By replica of the gateway. */
  readonly gatewayPorts: Readonly<Record<string, number>>;
  /** By replica. */
  readonly healthPorts: Readonly<Record<string, number>>;
  readonly sandbox: { readonly socket: string; readonly image: string } | null;
}

const providers = /^(ANTHROPIC|OPENAI|LOOM_MODEL)_/;
const general = /^(LOOM_|OTEL_|NODE_|PATH$|HOME$|USER$|LANG$|LC_|TZ$|TMPDIR$|https?_proxy$|no_proxy$)/i;

/** What of the caller's own environment is handed on. */
function inherited(env: Env, row: Row): Env {
  const kept = Object.entries(env).filter(([name]) =>
    providers.test(name) ? row.models === true : general.test(name),
  );
  return Object.fromEntries(kept);
}

/** Told to one service alone. */
function particular(replica: string, row: Row, facts: Facts): Env {
  const service = serviceOf(replica);
  const password = facts.postgresPasswords[service];
  return {
    ...(service in schemasOf && password !== undefined
      ? { LOOM_PG_URL: roleUrl(facts.postgresUrl, service, password) }
      : {}),
    ...(row.opens ? { LOOM_ROOT_KEY_FILE: facts.rootKeyFile } : {}),
    ...(row.sandbox ? sandbox(facts) : {}),
    ...(service === 'orchestrator' ? { LOOM_POOL_PUBLIC_KEY: facts.poolPublicKey } : {}),
    ...(service === 'evals'
      ? {
          LOOM_GATEWAY_URL: `http://127.0.0.1:${facts.gatewayPorts['gateway'] ?? 0}`,
          LOOM_EVALS_TOKEN: facts.evalsToken,
        }
      : {}),
    ...(service === 'gateway' ? gateway(facts, replica) : {}),
  };
}

function sandbox({ poolKeyFile, sandbox: engine }: Facts): Env {
  const address = engine ? { LOOM_DOCKER_SOCKET: engine.socket, LOOM_SANDBOX_IMAGE: engine.image } : {};
  return { LOOM_POOL_PRIVATE_KEY_FILE: poolKeyFile, ...address };
}

function gateway(facts: Facts, replica: string): Env {
  return {
    LOOM_PORT: String(facts.gatewayPorts[replica] ?? 0),
    LOOM_JWT_KEY: facts.issuerPublicKey,
    LOOM_JWT_ISSUER: facts.issuer,
    LOOM_AUTHORIZED_PARTIES: facts.authorizedParty,
  };
}

/** The whole environment of one replica. What the caller's environment says about identity wins over the local issuer. */
export function environmentOf(replica: string, facts: Facts, env: Env): Env {
  const service = serviceOf(replica);
  const row = services[service] ?? {};
  const foreign = service === 'gateway' && env['LOOM_JWT_KEY'] !== undefined;
  const told: Env = {
    LOOM_NATS_URL: facts.natsUrl,
    LOOM_NATS_USER: service,
    LOOM_NATS_PASSWORD: facts.natsPasswords[service],
    LOOM_HEALTH_PORT: String(facts.healthPorts[replica] ?? 0),
    ...particular(replica, row, facts),
  };
  if (foreign) return { ...told, ...inherited(env, row), LOOM_PORT: told['LOOM_PORT'] };
  return { ...inherited(env, row), ...told };
}
