/** One machine's Compose file, as Compose itself reads it with the secrets that the command makes. No container is started here. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bringChecker } from '@loom/cli';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findNatsServer } from '../../../cli/src/parts/nats.ts';
import { root } from '../manifests.ts';
import { secrets } from '../secrets.ts';
import type { Secrets } from '../secrets.ts';
import { known, needed, programs } from '../settings.ts';

const run = promisify(execFile);

interface Service {
  readonly user?: string;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly { readonly host_ip?: string }[];
  readonly volumes?: readonly { readonly source: string; readonly target: string; readonly read_only?: boolean }[];
}

interface Project {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

interface Context {
  made: Secrets;
  project: Project;
}
const test = suite<Context>('compose');

const file = join(root, 'deploy/compose.yaml');
const compose = async (...args: readonly string[]): Promise<string> =>
  (await run(await bringChecker('docker-compose'), ['-f', file, ...args], { env: { PATH: process.env['PATH'] } }))
    .stdout;

test.before(async (context) => {
  context.made = await secrets();
  const environment = join(context.made.home, 'compose.env');
  context.project = JSON.parse(await compose('--env-file', environment, 'config', '--format', 'json')) as Project;
});
test.after(async ({ made }) => {
  await made[Symbol.asyncDispose]();
});

const stores = ['nats', 'postgres', 's3'];

test('there are the stores, the set-up and every service', ({ project }) => {
  assert.equal(Object.keys(project.services).toSorted(), [...programs, ...stores].toSorted());
});

test('without secrets it says which are missing', async () => {
  const fault = await compose('config').then(
    () => '',
    (cause: { stderr: string }) => cause.stderr,
  );
  assert.match(fault, './loom secrets');
});

test('no container runs as root, writes to its image or keeps a capability', ({ project }) => {
  for (const [name, one] of Object.entries(project.services)) {
    assert.match(one.user ?? '', /^[1-9]\d*:\d+$/, name);
    assert.equal([one.read_only, one.privileged, one.cap_drop], [true, undefined, ['ALL']], name);
    assert.equal(one.security_opt, ['no-new-privileges:true'], name);
  }
});

test('stores come first, then the set-up, then the services; each tells whether it is well', ({ project }) => {
  assert.equal(
    Object.entries(project.services['setup']?.depends_on ?? {}).map(([name, { condition }]) => `${name} ${condition}`),
    ['nats service_healthy', 'postgres service_healthy'],
  );
  for (const name of programs.filter((program) => program !== 'setup'))
    assert.is(project.services[name]?.depends_on?.['setup']?.condition, 'service_completed_successfully', name);
  for (const [name, { healthcheck }] of Object.entries(project.services))
    assert.is(healthcheck?.test !== undefined && healthcheck.disable !== true, name !== 'setup', name);
});

test('every variable means something to its program, and none that it needs is missing or empty', ({ project }) => {
  for (const program of programs) {
    const set = project.services[program]?.environment ?? {};
    assert.equal(
      Object.keys(set).filter((name) => !known(program).has(name)),
      [],
      program,
    );
    assert.equal(
      needed(program).filter((name) => !set[name]),
      [],
      program,
    );
  }
});

test('a secret goes to whom it belongs alone', ({ project, made }) => {
  const rootKey = join(made.home, 'keys/root.key');
  const holders = (test: (one: Service) => boolean): readonly string[] =>
    Object.entries(project.services)
      .filter(([, one]) => test(one))
      .map(([name]) => name)
      .toSorted();
  const mounts = (source: string) => (one: Service) => one.volumes?.some((volume) => volume.source === source) === true;
  assert.equal(holders(mounts(rootKey)), ['agent-runner', 'gateway', 'orchestrator']);
  assert.equal(holders(mounts(join(made.home, 'keys/pool.key'))), ['sandbox']);
  assert.equal(holders(mounts('/var/run/docker.sock')), ['sandbox']);
  assert.equal(
    holders(({ environment = {} }) => 'ANTHROPIC_API_KEY' in environment),
    ['agent-runner'],
  );
  const values = Object.values(made.kubernetes['loom-nats/loom-nats'] ?? {}).map(String);
  for (const password of values) {
    const users = holders(({ environment = {} }) => Object.values(environment).includes(password));
    assert.ok(users.includes('nats') && users.length <= 2, users.join());
  }
});

test('only the runner has a way out, only the gateway a way in, and that on loopback', ({ project }) => {
  assert.is(project.networks['log']?.internal, true);
  for (const [name, { networks = {}, ports = [] }] of Object.entries(project.services)) {
    const beside = Object.keys(networks).filter((network) => network !== 'log');
    assert.equal(beside, name === 'agent-runner' ? ['internet'] : name === 'gateway' ? ['front'] : [], name);
    assert.equal(
      ports.map(({ host_ip }) => host_ip),
      name === 'gateway' ? ['127.0.0.1'] : [],
      name,
    );
  }
});

test('nats-server takes its configuration with these passwords, and not without them', async ({ project }) => {
  const server = await findNatsServer();
  const check = (env: Readonly<Record<string, string>>): Promise<string> =>
    run(server, ['-t', '-c', join(root, 'deploy/compose/nats.conf')], { env }).then(
      ({ stderr }) => stderr,
      (cause: { stderr: string }) => cause.stderr,
    );
  assert.match(await check(project.services['nats']?.environment ?? {}), 'configuration file');
  assert.match(await check(project.services['nats']?.environment ?? {}), 'is valid');
  assert.match(await check({}), 'LOOM_NATS_PASSWORD_');
});

test('the image is built from the whole layout, on a base that whoever builds pins, and runs as nobody', async () => {
  const text = await readFile(join(root, 'deploy/images/Dockerfile'), 'utf8');
  assert.equal(text.match(/^FROM .*$/gm), ['FROM ${NODE_IMAGE} AS build', 'FROM ${NODE_IMAGE}']);
  assert.match(text, /^USER 10001:10001$/m);
  assert.match(text, /^ENTRYPOINT \["\/opt\/loom\/deploy\/images\/run"\]$/m);
});

test.run();
