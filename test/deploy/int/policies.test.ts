/** What the manifests promise of every pod, whatever it runs, and who may reach whom. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooses, containersOf, loads, nameOf, ofKind, overlays, rendered } from '../manifests.ts';
import type { Container, Manifest } from '../manifests.ts';
import { mayReach } from '../reach.ts';
import type { Place } from '../reach.ts';
import { known, needed, programs } from '../settings.ts';

type Objects = Readonly<Record<(typeof overlays)[number], readonly Manifest[]>>;
const test = suite<{ all: Objects }>('policies');

test.before(async (context) => {
  const each = await Promise.all(
    overlays.map(async (overlay) => [overlay, await rendered(`overlays/${overlay}`)] as const),
  );
  context.all = Object.fromEntries(each) as Objects;
});

const services = programs.filter((name) => name !== 'setup');
const main = ({ spec }: Manifest): Container => spec.template.spec.containers[0]!;
const deployed = (all: readonly Manifest[]): readonly Manifest[] => ofKind(all, 'Deployment');

test('there is one Deployment a service, and a set-up job', ({ all }) => {
  for (const overlay of overlays) {
    assert.equal(
      deployed(all[overlay])
        .map(({ metadata }) => metadata.name)
        .toSorted(),
      services.toSorted(),
    );
    assert.equal(
      ofKind(all[overlay], 'Job').map(({ metadata }) => metadata.name),
      ['setup'],
    );
  }
});

test('no pod runs as root or holds a token of the cluster', ({ all }) => {
  for (const load of overlays.flatMap((overlay) => loads(all[overlay]))) {
    const { spec } = load.spec.template;
    const { runAsNonRoot, runAsUser = 0, seccompProfile } = spec.securityContext ?? {};
    assert.equal([runAsNonRoot, runAsUser > 0, seccompProfile?.type], [true, true, 'RuntimeDefault'], nameOf(load));
    assert.is(spec.automountServiceAccountToken, false, nameOf(load));
    assert.not.ok(spec.hostNetwork === true || spec.hostPID === true, nameOf(load));
  }
});

test('no container writes to its image, gains privileges or keeps a capability', ({ all }) => {
  for (const load of overlays.flatMap((overlay) => loads(all[overlay])))
    for (const { name, securityContext: own = {} } of containersOf(load)) {
      const which = `${nameOf(load)} ${name}`;
      assert.equal([own.allowPrivilegeEscalation, own.readOnlyRootFilesystem], [false, true], which);
      assert.equal([own.capabilities?.drop, own.capabilities?.add], [['ALL'], undefined], which);
      assert.equal([own.privileged, own.runAsUser], [undefined, undefined], which);
    }
});

test('every container says what it needs and what it may take', ({ all }) => {
  for (const load of overlays.flatMap((overlay) => loads(all[overlay])))
    for (const { name, resources } of containersOf(load)) {
      assert.ok(resources?.requests?.['cpu'] && resources.requests['memory'], `${nameOf(load)} ${name}`);
      assert.ok(resources.limits?.['memory'], `${nameOf(load)} ${name}`);
    }
});

test('every service is probed, spread, kept from going all at once, and fenced in', ({ all }) => {
  for (const overlay of overlays) {
    for (const one of deployed(all[overlay])) {
      const { labels } = one.spec.template.metadata;
      const probes = [main(one).startupProbe, main(one).readinessProbe, main(one).livenessProbe];
      assert.equal(
        probes.map((probe) => `${probe?.httpGet?.path} ${probe?.httpGet?.port}`),
        ['/healthz health', '/readyz health', '/healthz health'],
        nameOf(one),
      );
      const keys = one.spec.template.spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey);
      assert.equal(keys, ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'], nameOf(one));
      const here = (other: Manifest): boolean => other.metadata.namespace === one.metadata.namespace;
      const budgets = ofKind(all[overlay], 'PodDisruptionBudget').filter(
        (budget) => here(budget) && chooses(budget.spec.selector, labels),
      );
      assert.is(budgets.length, 1, `${nameOf(one)} has ${budgets.length} budgets`);
    }
  }
});

test('a socket of the node is given to the sandbox alone, which runs under gVisor on nodes of its own', ({ all }) => {
  for (const overlay of overlays) {
    const holders = loads(all[overlay]).filter(({ spec }) =>
      spec.template.spec.volumes?.some(({ hostPath }) => hostPath !== undefined),
    );
    assert.equal(
      holders.map(({ metadata }) => metadata.name),
      ['sandbox'],
    );
    const [runtime] = ofKind(all[overlay], 'RuntimeClass');
    assert.is(holders[0]?.spec.template.spec.runtimeClassName, runtime?.metadata.name);
    const { scheduling, handler } = runtime as unknown as { scheduling: { tolerations: object[] }; handler: string };
    assert.equal([handler, scheduling.tolerations.length], ['runsc', 1]);
  }
});

/** Names of variables of the one container, those of its ConfigMaps included. */
function variablesOf(all: readonly Manifest[], load: Manifest): readonly string[] {
  const maps = (main(load).envFrom ?? []).map(({ configMapRef }) => configMapRef?.name);
  const found = ofKind(all, 'ConfigMap').filter(
    ({ metadata }) => metadata.namespace === load.metadata.namespace && maps.includes(metadata.name),
  );
  assert.is(found.length, maps.length, `${nameOf(load)} lacks a ConfigMap`);
  return [...found.flatMap(({ data }) => Object.keys(data ?? {})), ...(main(load).env ?? []).map(({ name }) => name)];
}

test('every variable that is set means something to its program, and none that it needs is missing', ({ all }) => {
  for (const overlay of overlays) {
    for (const load of ofKind(all[overlay], 'Deployment', 'Job')) {
      const program = main(load).args?.[0] ?? '';
      const set = variablesOf(all[overlay], load);
      // Every service and the set-up share one ConfigMap; where figures are asked for is nothing to the set-up.
      const shared = program === 'setup' ? ['LOOM_HEALTH_HOST', 'LOOM_HEALTH_PORT'] : [];
      const foreign = set.filter((name) => !known(program).has(name) && !shared.includes(name));
      assert.equal(foreign, [], `${overlay}: ${program}`);
      const missing = needed(program).filter((name) => !set.includes(name));
      assert.equal(missing, [], `${overlay}: ${program}`);
    }
  }
});

test('no secret stands in a manifest', ({ all }) => {
  for (const overlay of overlays) {
    assert.equal(ofKind(all[overlay], 'Secret'), []);
    const named = loads(all[overlay]).flatMap((load) => containersOf(load).flatMap(({ env }) => env ?? []));
    const open = named.filter(({ name, value }) => /PASSWORD|TOKEN|API_KEY|PG_.*URL/.test(name) && value !== undefined);
    assert.equal(open, []);
  }
});

/** The pods of an overlay, and of what it stands beside. */
function places(all: readonly Manifest[]): Readonly<Record<string, Place>> {
  const pods = loads(all).map(({ metadata, spec }): [string, Place] => [
    metadata.name,
    { namespace: metadata.namespace ?? '', labels: spec.template.metadata.labels },
  ]);
  return {
    ...Object.fromEntries(pods),
    nats: { namespace: 'loom-nats', labels: { 'app.kubernetes.io/name': 'nats' } },
    ingress: { namespace: 'ingress', labels: {} },
    prometheus: { namespace: 'monitoring', labels: {} },
    keda: { namespace: 'keda', labels: {} },
    stranger: { namespace: 'elsewhere', labels: { 'app.kubernetes.io/part-of': 'loom' } },
  };
}

/** `from > to:port` of all that is open among pods. */
function open(all: readonly Manifest[], ports: readonly number[]): readonly string[] {
  const pods = Object.entries(places(all));
  const outside = new Set(['ingress', 'prometheus', 'keda', 'stranger']);
  return pods
    .flatMap(([from, a]) =>
      pods
        .filter(([to]) => to !== from && !outside.has(to))
        .flatMap(([to, b]) =>
          ports.filter((port) => mayReach(all, a, b, port)).map((port) => `${from} > ${to}:${port}`),
        ),
    )
    .toSorted();
}

test('pods reach what the design lets them, and nothing else', ({ all }) => {
  const everybody = [...services, 'setup'];
  const tables = ['gateway', 'billing', 'audit', 'retention', 'evals', 'setup'];
  const wanted = [
    ...everybody.map((name) => `${name} > nats:4222`),
    ...tables.map((name) => `${name} > postgres:5432`),
    'evals > gateway:8080',
    'ingress > gateway:8080',
    ...everybody.map((name) => `prometheus > ${name}:9090`),
    'prometheus > nats:7777',
    'keda > nats:8222',
  ];
  const ports = [22, 443, 2375, 4222, 5432, 6222, 7777, 8080, 8222, 9090];
  assert.equal(open(all.local, ports), wanted.toSorted());
  const without = wanted.filter((edge) => !edge.includes('postgres'));
  assert.equal(open(all.production, ports), without.toSorted());
});

test('the internet is open to the runner alone, and none of the own networks to anybody', ({ all }) => {
  const pods = places(all.production);
  const reaching = (address: string, port: number): readonly string[] =>
    [...services, 'setup', 'nats'].filter((name) => mayReach(all.production, pods[name]!, { address }, port));
  assert.equal(reaching('1.1.1.1', 443), ['agent-runner']);
  assert.equal(reaching('2606:4700::1111', 443), ['agent-runner']);
  for (const port of [22, 25, 53, 80, 4222]) assert.equal(reaching('1.1.1.1', port), [], String(port));
  for (const own of ['169.254.169.254', '10.1.2.3', '172.20.0.1', '192.168.1.1', '100.64.0.1', '127.0.0.1', 'fd00::1'])
    assert.equal(reaching(own, 443), [], own);
  assert.equal(
    reaching('10.0.64.7', 5432).toSorted(),
    ['audit', 'billing', 'evals', 'gateway', 'retention', 'setup'],
    'the database',
  );
});

test.run();
