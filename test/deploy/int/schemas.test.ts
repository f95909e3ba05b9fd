/**
 * Every object of every overlay against the schemas of Kubernetes 1.36 and of the operators' own kinds (npm: kubernetes-models and its family, made
 * of the OpenAPI documents and Go types of those projects): values by their validators, names of fields by their types, which know no others.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nameOf, overlays, rendered, root } from '../manifests.ts';
import type { Manifest } from '../manifests.ts';

const run = promisify(execFile);

/** Whose package describes a group of kinds. */
const packages: Readonly<Record<string, string>> = {
  'keda.sh': '@kubernetes-models/keda',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'traefik.io': '@kubernetes-models/traefik',
  'cert-manager.io': '@kubernetes-models/cert-manager',
};

const moduleOf = ({ apiVersion, kind }: Manifest): string =>
  `${packages[apiVersion.split('/')[0] ?? ''] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;

type Model = new (data: Manifest) => { validate(): void };

/** What the validator says against an object; '' when nothing. */
async function faultOf(manifest: Manifest): Promise<string> {
  const module = (await import(moduleOf(manifest))) as Readonly<Record<string, Model>>;
  const Kind = module[manifest.kind];
  assert.ok(Kind, nameOf(manifest));
  try {
    new Kind(manifest).validate();
    return '';
  } catch (cause) {
    return (cause as Error).message;
  }
}

/** What the compiler says of objects written down as their types; '' when nothing. */
async function misspelled(manifests: readonly Manifest[]): Promise<string> {
  await mkdir(join(root, '.loom'), { recursive: true });
  const dir = await mkdtemp(join(root, '.loom', 'schemas-'));
  const lines = manifests.map(
    (one, at) =>
      `import type { I${one.kind} as T${at} } from '${moduleOf(one)}';\nexport const o${at}: T${at} = ${JSON.stringify(one)};`,
  );
  const options = { module: 'nodenext', target: 'esnext', strict: true, noEmit: true, skipLibCheck: true, types: [] };
  try {
    await writeFile(join(dir, 'objects.ts'), lines.join('\n'));
    await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['objects.ts'] }));
    return await run(join(root, 'node_modules/.bin/tsc'), ['-p', dir]).then(
      () => '',
      (cause: { stdout: string }) => cause.stdout,
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const test = suite<{ objects: readonly Manifest[] }>('schemas');

test.before(async (context) => {
  context.objects = (await Promise.all(overlays.map((overlay) => rendered(`overlays/${overlay}`)))).flat();
});

test('every object of every overlay has valid values', async ({ objects }) => {
  assert.ok(objects.length > 80, String(objects.length));
  for (const one of objects) assert.is(await faultOf(one), '', nameOf(one));
});

test('every field of every object is one that its kind has', async ({ objects }) => {
  assert.is(await misspelled(objects), '');
});

test('a wrong value and a misspelled field are found', async ({ objects }) => {
  const changed = (kind: string, change: (text: string) => string): Manifest => {
    const one = objects.find((object) => object.kind === kind)!;
    const text = JSON.stringify(one);
    assert.is.not(change(text), text);
    return JSON.parse(change(text)) as Manifest;
  };
  assert.match(
    await faultOf(changed('Deployment', (text) => text.replace('"periodSeconds":10', '"periodSeconds":"ten"'))),
    'periodSeconds',
  );
  assert.match(
    await faultOf(changed('ScaledObject', (text) => text.replace('"maxReplicaCount":', '"maxReplicaCount":"x","y":'))),
    'maxReplicaCount',
  );
  const spelled = await misspelled([
    changed('Deployment', (text) => text.replace('"readinessProbe"', '"readynessProbe"')),
    changed('ScaledObject', (text) => text.replace('"pollingInterval"', '"pollInterval"')),
    changed('NetworkPolicy', (text) => text.replace('"podSelector"', '"podsSelector"')),
  ]);
  for (const name of ['readynessProbe', 'pollInterval', 'podsSelector']) assert.match(spelled, name);
});

test.run();
