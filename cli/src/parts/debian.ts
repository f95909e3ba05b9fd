/** Takes programs out of Debian packages of another suite, without root and without touching the system. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from '../root.ts';
import { isRoot, sh } from './shell.ts';

/** The machine's own main archive, from lines `URI|suite`. null when apt knows no Debian. */
export function mirrorOf(targets: string): string | null {
  const lines = targets.split('\n').map((line) => line.split('|'));
  const main = lines.find(
    ([uri, suite]) => /debian/.test(uri ?? '') && !/security|updates|backports/.test(suite ?? ''),
  );
  return main?.[0] ?? null;
}

/** The apt settings that keep all state in `dir`. */
function settings(dir: string): string[] {
  const own = [
    `Dir::Etc::SourceList=${dir}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${dir}/lists`,
    `Dir::Cache=${dir}/cache`,
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    ...(isRoot() ? ['APT::Sandbox::User=root'] : []),
  ];
  return own.flatMap((one) => ['-o', one]);
}

/** Unpacks packages of `suite` into `root` of a fresh folder and gives that folder; the caller removes it. @throws what apt says */
export async function unpackDebian(suite: string, ...names: readonly string[]): Promise<string> {
  const mirror = mirrorOf(await sh('apt-get', ['indextargets', '--format', '$(REPO_URI)|$(RELEASE)']));
  if (mirror === null) throw new Error('apt names no Debian archive');
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, 'apt-'));
  try {
    await Promise.all(
      ['lists/partial', 'cache/archives/partial'].map((sub) => mkdir(join(dir, sub), { recursive: true })),
    );
    await writeFile(join(dir, 'sources.list'), `deb ${mirror} ${suite} main\n`);
    await sh('apt-get', [...settings(dir), 'update', '-q']);
    const wanted = names.map((name) => `${name}/${suite}`); // not the version that may be installed here
    await sh('apt-get', [...settings(dir), 'download', ...wanted], { cwd: dir });
    const debs = (await readdir(dir)).filter((file) => file.endsWith('.deb'));
    for (const deb of debs) await sh('dpkg-deb', ['-x', join(dir, deb), join(dir, 'root')]);
    return dir;
  } catch (cause) {
    await rm(dir, { recursive: true, force: true });
    throw cause;
  }
}
