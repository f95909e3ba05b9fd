/** Every Secret that a manifest refers to: made by `./loom secrets` for a trial, taken from elsewhere in production. */
import { stat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { containersOf, loads, ofKind, overlays, rendered, root } from '../manifests.ts';
import type { Manifest } from '../manifests.ts';
import { makeSecrets, secrets } from '../secrets.ts';
import type { Secrets } from '../secrets.ts';

const test = suite<{ made: Secrets }>('secrets');

test.before(async (context) => {
  context.made = await secrets();
});
test.after(async ({ made }) => {
  await made[Symbol.asyncDispose]();
});

interface Reference {
  /** `<namespace>/<name>` */
  readonly secret: string;
  /** Absent: the whole of it, as files. */
  readonly key?: string;
  readonly optional: boolean;
}

function referencesOf(all: readonly Manifest[]): readonly Reference[] {
  return loads(all).flatMap((load) => {
    const place = (name: string): string => `${load.metadata.namespace}/${name}`;
    const variables = containersOf(load)
      .flatMap(({ env }) => env ?? [])
      .flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
    const files = (load.spec.template.spec.volumes ?? []).flatMap(({ secret }) => secret ?? []);
    return [
      ...variables.map(({ name, key, optional = false }) => ({ secret: place(name), key, optional })),
      ...files.map((one) => ({ secret: place((one as { secretName: string }).secretName), optional: false })),
    ];
  });
}

/** Issued by cert-manager. */
const issued = ['loom/gateway-tls'];

test('what the manifests need is what the command makes', async ({ made }) => {
  const references = referencesOf(await rendered('overlays/local'));
  assert.ok(references.length > 20);
  for (const { secret, key, optional } of references) {
    if (optional) continue;
    assert.ok(made.kubernetes[secret], secret);
    if (key !== undefined) assert.ok(made.kubernetes[secret][key]?.length, `${secret} ${key}`);
  }
});

test('in production every Secret has its place elsewhere, with every key', async () => {
  const all = await rendered('overlays/production');
  const external = new Map(
    ofKind(all, 'ExternalSecret').map(({ metadata, spec }) => [
      `${metadata.namespace}/${metadata.name}`,
      (spec.data ?? []).map(({ secretKey }) => secretKey),
    ]),
  );
  for (const { secret, key, optional } of referencesOf(all)) {
    if (optional || issued.includes(secret)) continue;
    assert.ok(external.has(secret), secret);
    if (key !== undefined) assert.ok(external.get(secret)?.includes(key), `${secret} ${key}`);
  }
});

test('every key is described to whoever has to fill it', async ({ made }) => {
  const guide = await readFile(join(root, 'docs/operations/deploy.md'), 'utf8');
  for (const place of Object.keys(made.kubernetes)) assert.match(guide, `\`${place.split('/')[1]}\``, place);
  for (const overlay of overlays)
    for (const { secret } of referencesOf(await rendered(`overlays/${overlay}`)))
      assert.match(guide, `\`${secret.split('/')[1]}\``, secret);
});

test('what is made is for its owner alone, and is made once', async ({ made }) => {
  for (const file of ['kubernetes.json', 'compose.env', 'run/secrets.json', 'keys/root.key', 'keys/pool.key']) {
    const { mode } = await stat(join(made.home, file));
    assert.is(mode & 0o077, 0, file);
  }
  const read = (): Promise<string> => readFile(join(made.home, 'compose.env'), 'utf8');
  const before = await read();
  assert.is(new Set(before.match(/(?<=^LOOM_\w*PASSWORD\w*=).*$/gm)).size, 10 + 7 + 1);
  await makeSecrets(made.home);
  assert.is(await read(), before);
});

test.run();
