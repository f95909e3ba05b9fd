/** `./loom setup` and `./loom secrets`: what a deployment elsewhere needs before its services start. */
import { chown, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { config, setting } from '@loom/service';
import { Failure } from '../failure.ts';
import { imageTag } from '../parts/image.ts';
import type { Output } from '../output.ts';
import { composeEnvironment, deploymentOf, kubernetesSecrets, type Runner } from '../stack/deployment.ts';
import { layout, writeSecret } from '../stack/files.ts';
import { schemasOf } from '../stack/migrate.ts';
import { setUpNats, setUpPostgres } from '../stack/setup.ts';
import { act, type Register } from './command.ts';

/** Of the set-up job. Passwords of the services' login roles are given to it alone. */
export const setUpSettings = {
  natsUrl: setting.text('LOOM_NATS_URL'),
  natsPassword: setting.secret('LOOM_NATS_PASSWORD'),
  streams: setting.integer('LOOM_STREAMS', { min: 1, max: 64 }, 4),
  replicas: setting.integer('LOOM_REPLICAS', { min: 1, max: 5 }, 1),
  /** As who may make roles and schemas. */
  postgres: setting.secret('LOOM_PG_ADMIN_URL'),
} as const;

const passwordSettings = Object.fromEntries(
  Object.keys(schemasOf).map((service) => [
    service,
    setting.secret(`LOOM_PG_PASSWORD_${service.toUpperCase().replaceAll('-', '_')}`),
  ]),
);

async function setUp(out: Output): Promise<void> {
  const set = config(setUpSettings, process.env);
  const passwords = Object.entries(config(passwordSettings, process.env));
  const { natsUrl, natsPassword, streams, replicas } = set;
  await setUpNats(natsUrl, natsPassword.reveal(), { streams, replicas });
  out.print(`log: ${streams} event streams in ${replicas} replicas, their durables and buckets`);
  await setUpPostgres(
    set.postgres.reveal(),
    Object.fromEntries(passwords.map(([service, password]) => [service, password.reveal()])),
  );
  out.print(`database: roles, schemas and migrations of ${passwords.map(([service]) => service).join(', ')}`);
  out.record({ streams, replicas, services: passwords.map(([service]) => service) });
}

export const setUpCommand: Register = (program) => {
  const command = program
    .command('setup')
    .description('makes streams, durables, roles, schemas and tables on servers of your own; again: changes nothing');
  act(command, ['LOOM_NATS_URL=… LOOM_NATS_PASSWORD=… LOOM_PG_ADMIN_URL=… ./loom setup'], ({ out }) => setUp(out));
};

/** Under root the containers run as this user instead, and keys and data are its own. */
const unprivileged = { uid: 10_001, gid: 10_001 };

async function runnerOf(home: string): Promise<Runner> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const dockerGid = await stat('/var/run/docker.sock').then(
    (socket) => socket.gid,
    () => gid,
  );
  const { rootKey, poolKey } = layout(home);
  const data = ['data', 'data/nats', 'data/postgres', 'data/s3'].map((folder) => join(home, folder));
  for (const folder of data) await mkdir(folder, { recursive: true, mode: 0o700 });
  const runner = { uid, gid, dockerGid, sandboxImage: await imageTag() };
  if (uid !== 0) return runner;
  for (const path of [home, join(home, 'keys'), rootKey, poolKey, ...data])
    await chown(path, unprivileged.uid, unprivileged.gid);
  return { ...runner, ...unprivileged };
}

async function writeSecrets(folder: string, postgres: string, out: Output): Promise<void> {
  if (!URL.canParse(postgres))
    throw new Failure(2, `--postgres takes an address such as postgres://host:5432/postgres`);
  const home = resolve(folder);
  const from = await deploymentOf(home);
  const [compose, kubernetes] = [join(home, 'compose.env'), join(home, 'kubernetes.json')];
  const items = kubernetesSecrets(from, postgres);
  await writeSecret(kubernetes, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2));
  await writeSecret(compose, composeEnvironment(from, home, await runnerOf(home)));
  out.record({ compose, kubernetes });
  out.print(`${compose}: docker compose --env-file ${compose} -f deploy/compose.yaml up`);
  out.print(`${kubernetes}: kubectl apply -f ${kubernetes}, for a trial; production keeps secrets elsewhere`);
}

export const secretsCommand: Register = (program) => {
  const command = program
    .command('secrets')
    .description('makes the keys and passwords of a deployment, once, as files for Compose and Kubernetes')
    .requiredOption('--out <folder>', 'where they are kept, readable by their owner alone')
    .option('--postgres <url>', 'address of Postgres without a login', 'postgres://postgres.loom.svc:5432/postgres');
  act<{ out: string; postgres: string }>(command, ['./loom secrets --out secrets'], ({ options, out }) =>
    writeSecrets(options.out, options.postgres, out),
  );
};
