/** Running programs of the machine while bringing parts up. */
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { delimiter, join } from 'node:path';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Full path of a program; sbin folders are looked into as well. null when it is not installed. */
export async function which(program: string): Promise<string | null> {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const dir of dirs) {
    const file = join(dir, program);
    const there = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return file;
  }
  return null;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of stdout as it comes. */
  readonly line?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Runs a program to its end and gives its stdout. @throws with the last lines of stderr when it does not exit with 0 */
export async function sh(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    signal: options.signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: string[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    out.push(line);
    options.line?.(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0)
    throw new Error(`${program} ${args[0] ?? ''} ended with ${code}: ${errors.trim() || out.slice(-3).join(' ')}`);
  return out.join('\n');
}

/** Installs Debian packages (root only). @throws what apt says */
export async function aptInstall(packages: readonly string[], line?: (line: string) => void): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  const options = line ? { env, line } : { env };
  try {
    await sh('apt-get', install, options);
  } catch {
    await sh('apt-get', ['update', '-q'], options);
    await sh('apt-get', install, options);
  }
}
