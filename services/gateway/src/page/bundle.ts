/**
 * Owns `.loom/web`: the page's files, built from `services/gateway/web` on first need.
 * P1  A folder bears the hash of all that it is made of, so what is there is never stale and never changed.
 * P2  It appears whole or not at all: who builds at the same time builds beside, and the second finds the first's.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, glob, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(import.meta.dirname, '../../../..');
const home = join(root, '.loom', 'web');
const source = join(root, 'services/gateway/web');

/** Sources of the page, and of the fold that it shares with the services; the lock file stands for the libraries. */
const patterns = ['services/gateway/web/**/*', 'packages/job/src/**/*.ts', 'package-lock.json'];

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const names: string[] = [];
  for await (const entry of glob(patterns, { cwd: root, withFileTypes: true }))
    if (entry.isFile()) names.push(join(entry.parentPath, entry.name));
  for (const name of names.toSorted()) hash.update(`${name.slice(root.length)}\0`).update(await readFile(name));
  return hash.digest('hex').slice(0, 16);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The folder of the page as its sources are now, or null while nobody has built it. */
export async function findBundle(): Promise<string | null> {
  const dir = join(home, await hashOfSources());
  return (await isThere(join(dir, 'index.html'))) ? dir : null;
}

/** The folder of the page, built if need be (a few seconds, once for each state of the sources). @throws what the build says */
export async function bringBundle(): Promise<string> {
  const dir = join(home, await hashOfSources());
  if (await isThere(join(dir, 'index.html'))) return dir;
  await mkdir(home, { recursive: true });
  const made = await mkdtemp(join(home, 'building-'));
  try {
    await build(made);
    await chmod(made, 0o755);
    await rename(made, dir).catch(async (cause: unknown) => {
      if (!(await isThere(join(dir, 'index.html')))) throw cause;
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  await dropOthers(dir);
  return dir;
}

/** Runs Vite in a process of its own: a gateway never loads it. */
async function build(to: string): Promise<void> {
  const vite = join(fileURLToPath(import.meta.resolve('vite/package.json')), '../bin/vite.js');
  const args = [vite, 'build', '--outDir', to, '--emptyOutDir', '--logLevel', 'warn'];
  const child = spawn(process.execPath, args, { cwd: source, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const code = await new Promise((done, failed) => child.once('error', failed).once('close', done));
  if (code !== 0) throw new Error(`the page could not be built: ${said.trim()}`);
}

/** Builds of older sources; a gateway that serves one holds it in memory. */
async function dropOthers(dir: string): Promise<void> {
  const others = (await readdir(home)).filter((name) => !name.startsWith('building-') && join(home, name) !== dir);
  await Promise.all(others.map((name) => rm(join(home, name), { recursive: true, force: true })));
}

/** For an image: `node services/gateway/src/page/bundle.ts`. */
if (import.meta.main) console.log(await bringBundle());
