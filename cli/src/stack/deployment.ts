/**
 * Owns the secrets of one deployment elsewhere (Kubernetes, Compose): the keys and passwords of a folder, and the two files made of them.
 * D1  What is there is kept: run again, it adds what a newer Loom asks for and changes nothing else.
 * D2  Every file has mode 0600. Nothing of it is printed.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { services } from './environment.ts';
import { layout, readIfThere, writeSecret } from './files.ts';
import { authorizedParty, issuer, issuerPublicKey, mintToken } from './issuer.ts';
import { schemasOf } from './migrate.ts';
import { setUpKeys } from './setup.ts';

/** All secrets of a deployment by purpose. */
export interface Deployment {
  /** Passwords by NATS user. */
  readonly nats: Readonly<Record<string, string>>;
  /** Passwords by login role's service; `postgres` is the superuser's. */
  readonly postgres: Readonly<Record<string, string>>;
  readonly s3: Readonly<Record<'user' | 'password', string>>;
  readonly rootKey: Buffer;
  readonly poolKey: string;
  readonly poolPublicKey: string;
  readonly jwtKey: string;
  readonly issuer: string;
  readonly authorizedParty: string;
  readonly evalsToken: string;
}

/** NATS users of a deployment. */
export const natsUserNames = [...Object.keys(services), 'operator', 'setup'];

type Passwords = Readonly<Record<string, string>>;

/** Begins with a letter: nats-server reads a variable's value as it would read a setting, and takes digits for a number. */
const fresh = (names: readonly string[], old: Passwords = {}): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, old[name] ?? `p${randomBytes(24).toString('hex')}`]));

interface Kept {
  readonly nats?: Passwords;
  readonly postgres?: Passwords;
  readonly s3?: Passwords;
  readonly evalsToken?: string;
}

/** The secrets of folder `home`, made where they are missing. */
export async function deploymentOf(home: string): Promise<Deployment> {
  const poolPublicKey = await setUpKeys(home);
  const { rootKey, poolKey, secrets } = layout(home);
  const text = await readIfThere(secrets);
  const old: Kept = text === null ? {} : (JSON.parse(text) as Kept);
  const kept = {
    nats: fresh(natsUserNames, old.nats),
    postgres: fresh(['postgres', ...Object.keys(schemasOf)], old.postgres),
    s3: fresh(['user', 'password'], old.s3) as Deployment['s3'],
    evalsToken: old.evalsToken ?? (await mintToken(home, { person: 'evals', tenant: 'evals', seconds: 365 * 86_400 })),
  };
  const next = JSON.stringify(kept, null, 2);
  if (next !== text) await writeSecret(secrets, next);
  return {
    ...kept,
    rootKey: await readFile(rootKey),
    poolKey: (await readFile(poolKey, 'utf8')).trim(),
    poolPublicKey,
    jwtKey: await issuerPublicKey(home),
    issuer,
    authorizedParty,
  };
}

const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_');
const each = (prefix: string, values: Passwords): [string, string][] =>
  Object.entries(values).map(([name, value]) => [`${prefix}${upper(name)}`, value]);

/** Who runs the containers of `deploy/compose.yaml`, and the group that may use Docker's socket. */
export interface Runner {
  readonly uid: number;
  readonly gid: number;
  readonly dockerGid: number;
  /** Tag of the image that the agents' code runs in; `./loom doctor --fix` makes it. */
  readonly sandboxImage: string;
}

/** The environment file of `deploy/compose.yaml`; `home` is mounted for its keys. */
export function composeEnvironment(from: Deployment, home: string, runner: Runner): string {
  const lines: [string, string][] = [
    ['LOOM_SECRETS', home],
    ['LOOM_UID', String(runner.uid)],
    ['LOOM_GID', String(runner.gid)],
    ['LOOM_DOCKER_GID', String(runner.dockerGid)],
    ['LOOM_SANDBOX_IMAGE', runner.sandboxImage],
    ...each('LOOM_NATS_PASSWORD_', from.nats),
    ...each('LOOM_PG_PASSWORD_', from.postgres),
    ['LOOM_S3_USER', from.s3.user],
    ['LOOM_S3_PASSWORD', from.s3.password],
    ['LOOM_POOL_PUBLIC_KEY', from.poolPublicKey],
    ['LOOM_JWT_KEY', from.jwtKey.trim().replaceAll('\n', '\\n')],
    ['LOOM_JWT_ISSUER', from.issuer],
    ['LOOM_AUTHORIZED_PARTIES', from.authorizedParty],
    ['LOOM_EVALS_TOKEN', from.evalsToken],
  ];
  return `${lines.map(([name, value]) => `${name}="${value}"`).join('\n')}\n`;
}

const pick = (values: Passwords, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, values[name] ?? '']));

/** By `<namespace>/<name>`: which Secrets the manifests refer to, and what is in them. */
function secretsOf(from: Deployment, postgres: string): Record<string, Record<string, string | Buffer>> {
  const urlOf = (role: string, password: string): string =>
    Object.assign(new URL(postgres), { username: role, password }).href;
  const roles = Object.keys(schemasOf);
  return {
    'loom/loom-nats': pick(
      from.nats,
      natsUserNames.filter((user) => user !== 'sandbox'),
    ),
    'loom-sandbox/loom-nats': pick(from.nats, ['sandbox']),
    'loom-nats/loom-nats': from.nats,
    'loom/loom-postgres': Object.fromEntries(
      roles.map((role) => [`${role}-url`, urlOf(`loom_${role.replaceAll('-', '_')}`, from.postgres[role] ?? '')]),
    ),
    'loom/loom-postgres-setup': {
      ...pick(from.postgres, ['postgres', ...roles]),
      'admin-url': urlOf('postgres', from.postgres['postgres'] ?? ''),
    },
    'loom/loom-root-key': { 'root.key': from.rootKey },
    'loom/loom-pool': { 'pool.pub': from.poolPublicKey },
    'loom-sandbox/loom-pool-key': { 'pool.key': from.poolKey },
    'loom/loom-identity': {
      'jwt-key': from.jwtKey,
      issuer: from.issuer,
      'authorized-parties': from.authorizedParty,
    },
    'loom/loom-evals': { token: from.evalsToken },
  };
}

/** The Secrets of a trial as objects for `kubectl apply`; `postgres` is the database's address without a login. */
export function kubernetesSecrets(from: Deployment, postgres: string): readonly object[] {
  return Object.entries(secretsOf(from, postgres)).map(([place, data]) => {
    const [namespace = '', name = ''] = place.split('/');
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name },
      type: 'Opaque',
      data: Object.fromEntries(encoded),
    };
  });
}
