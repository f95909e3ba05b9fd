/**
 * The manifests' own words start the real thing: the set-up job on empty servers, then each service with the variables and key files that its
 * Deployment gives it. Only addresses, ports and paths are other than in a cluster. The sandbox needs an engine and is tried elsewhere.
 */
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastingPorts } from '@loom/cli';
import type { NatsServer } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clusterNats, environmentOf, hostedPostgres, runToEnd, startProgram } from '../cluster.ts';
import type { Env } from '../cluster.ts';
import { ofKind, rendered } from '../manifests.ts';
import type { Manifest } from '../manifests.ts';
import { secrets } from '../secrets.ts';
import type { Secrets } from '../secrets.ts';

interface Context {
  owned: AsyncDisposableStack;
  all: readonly Manifest[];
  made: Secrets;
  nats: NatsServer & { readonly monitor: string };
  postgres: string;
  keys: string;
}
const test = suite<Context>('start');

const password = 'a-hosted-one';

test.before(async (context) => {
  context.owned = new AsyncDisposableStack();
  const postgres = context.owned.use(await hostedPostgres(password));
  context.made = context.owned.use(await secrets('--postgres', postgres.url));
  context.nats = context.owned.use(await clusterNats(context.made));
  context.postgres = postgres.url;
  context.all = await rendered('overlays/local');
  context.keys = await mkdtemp(join(tmpdir(), 'loom-keys-'));
  context.owned.defer(() => rm(context.keys, { recursive: true, force: true }));
});
test.after(({ owned }) => owned.disposeAsync());

/** What is other here than in a cluster. */
async function here({ nats, keys }: Context): Promise<Env> {
  const [health = 0, port = 0] = await lastingPorts(2);
  return {
    LOOM_NATS_URL: nats.url,
    LOOM_STREAMS: '16',
    LOOM_HEALTH_PORT: String(health),
    LOOM_PORT: String(port),
    LOOM_ROOT_KEY_FILE: join(keys, 'root.key'),
  };
}

const setUp = async (context: Context): Promise<{ readonly code: number | null; readonly said: string }> => {
  const { all, made, postgres } = context;
  const env = environmentOf(all, ofKind(all, 'Job')[0]!, made);
  return runToEnd(['setup'], { ...env, ...(await here(context)), LOOM_PG_ADMIN_URL: postgres });
};

test('the set-up job makes everything on empty servers, as an administrator who is no superuser, and nothing the second time', async (context) => {
  for (const time of ['first', 'second']) {
    const { code, said } = await setUp(context);
    assert.is(code, 0, `${time}: ${said}`);
    assert.match(said, '16 event streams');
  }
});

test('a key file is copied so that its reader alone may read it', async ({ made, keys }) => {
  const from = join(made.home, 'keys/root.key');
  await chmod(from, 0o440);
  const { code, said } = await runToEnd(['keys', from, join(keys, 'root.key')]);
  assert.is(code, 0, said);
  assert.is((await stat(join(keys, 'root.key'))).mode & 0o777, 0o600);
  assert.equal(await readFile(join(keys, 'root.key')), made.kubernetes['loom/loom-root-key']?.['root.key']);
});

for (const service of ['orchestrator', 'agent-runner', 'gateway', 'billing', 'audit', 'retention', 'evals'])
  test(`${service} starts with what its Deployment gives it, and is ready and measured`, async (context) => {
    const { all, made } = context;
    const load = ofKind(all, 'Deployment').find(({ metadata }) => metadata.name === service)!;
    await using program = await startProgram(service, { ...environmentOf(all, load, made), ...(await here(context)) });
    let ready = await program.get('/readyz');
    for (const end = Date.now() + 30_000; ready.status !== 200 && Date.now() < end; await sleep(100))
      ready = await program.get('/readyz');
    assert.is(ready.status, 200, await ready.text());
    assert.match(await (await program.get('/metrics')).text(), `loom_consumer_answers{messaging_system="nats"`);
  });

/** As KEDA's scaler asks: where it finds the lag of a durable. */
interface Monitored {
  readonly account_details?: readonly {
    readonly name: string;
    readonly stream_detail: readonly {
      readonly name: string;
      readonly consumer_detail?: readonly { name: string }[];
    }[];
  }[];
}

/** `<stream>/<durable>` of an account. */
async function durablesOf(monitor: string, account: string): Promise<readonly string[]> {
  const query = `acc=${encodeURIComponent(account)}&consumers=true&config=true`;
  const { account_details = [] } = (await (await fetch(`${monitor}/jsz?${query}`)).json()) as Monitored;
  return account_details
    .filter(({ name }) => name === account)
    .flatMap(({ stream_detail }) => stream_detail)
    .flatMap(({ name, consumer_detail = [] }) => consumer_detail.map((one) => `${name}/${one.name}`));
}

test("every trigger of KEDA's finds its durable where the scaler looks for it, and every durable has one", async ({
  nats,
}) => {
  const scalers = ofKind(await rendered('overlays/production'), 'ScaledObject').map(({ spec }) => ({
    terms: spec.advanced?.scalingModifiers?.formula.split(' + ') ?? [],
    triggers: (spec.triggers ?? []).filter(({ type }) => type === 'nats-jetstream'),
  }));
  const triggers = scalers.flatMap((scaler) => scaler.triggers);
  const durables = await durablesOf(nats.monitor, triggers[0]?.metadata['account'] ?? '');
  assert.is(durables.length, 8 * 16 + 1);
  const wanted = triggers.map(({ metadata }) => `${metadata['stream']}/${metadata['consumer']}`);
  assert.equal(wanted.toSorted(), durables.toSorted());
  for (const scaler of scalers)
    assert.equal(
      scaler.terms,
      scaler.triggers.map(({ name }) => name),
    );
});

test.run();
