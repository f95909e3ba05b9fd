/** The secrets of a deployment, made by the command that makes them, as Kubernetes would hold them. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './manifests.ts';

const run = promisify(execFile);

export interface Secrets extends AsyncDisposable {
  /** The folder, as `./loom secrets --out` left it. */
  readonly home: string;
  /** By `<namespace>/<name>`, then by key. */
  readonly kubernetes: Readonly<Record<string, Readonly<Record<string, Buffer>>>>;
}

interface List {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string };
    readonly data: Readonly<Record<string, string>>;
  }[];
}

/** Makes what is not there yet in a folder. */
export async function makeSecrets(home: string, ...more: readonly string[]): Promise<void> {
  await run(join(root, 'loom'), ['secrets', '--out', home, ...more]);
}

/** Dispose removes them. */
export async function secrets(...more: readonly string[]): Promise<Secrets> {
  const home = await mkdtemp(join(tmpdir(), 'loom-secrets-'));
  await makeSecrets(home, ...more);
  const { items } = JSON.parse(await readFile(join(home, 'kubernetes.json'), 'utf8')) as List;
  const decoded = (data: Readonly<Record<string, string>>): Record<string, Buffer> =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return {
    home,
    kubernetes: Object.fromEntries(
      items.map(({ metadata, data }) => [`${metadata.namespace}/${metadata.name}`, decoded(data)]),
    ),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
