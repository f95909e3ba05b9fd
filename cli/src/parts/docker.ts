/**
 * Owns the Docker engine of this machine as far as Loom started it.
 * D1 a running engine is used as it is and never stopped. D2 an engine started here runs without bridge and firewall
 * rules (sandboxes have no network), keeps its images in the default place, and is stopped by its pid when the last
 * Loom process that uses it ends. D3 users are files named by pid; a dead pid does not count.
 */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, missing } from '../failure.ts';
import type { Output } from '../output.ts';
import { engineGet, engineSocket } from './engine.ts';
import { isAlive } from '../stack/process.ts';
import type { Found, Part } from './part.ts';
import { aptInstall, isRoot, which } from './shell.ts';

/** Of the machine, as the engine is. */
const runDir = '/run/loom-docker';
const usersDir = join(runDir, 'users');
const pidFile = join(runDir, 'dockerd.pid');

const how = [
  'install Docker (https://docs.docker.com/engine/install, or Debian and Ubuntu: sudo apt-get install docker.io) and start it: sudo systemctl start docker',
  'a normal user must be in its group: sudo usermod -aG docker "$USER", then sign in again',
  'an engine elsewhere on this machine: LOOM_DOCKER_SOCKET=/path/to/docker.sock',
];

async function find(): Promise<Found | null> {
  try {
    const version = await engineGet('/version');
    return { version: String(version?.['Version']), where: engineSocket() };
  } catch {
    return null;
  }
}

/** Why the engine cannot be used by us, in words. */
async function whyNot(): Promise<string> {
  try {
    await engineGet('/version');
    return '';
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'EACCES') return `this user may not use the Docker engine at ${engineSocket()}`;
    return `no Docker engine answers at ${engineSocket()}`;
  }
}

async function install(out: Output): Promise<string> {
  const there = await which('dockerd');
  if (there !== null) return there;
  if ((await which('apt-get')) === null) throw missing(await whyNot(), ...how);
  const progress = out.task('Docker engine: apt-get install docker.io');
  try {
    await aptInstall(['docker.io']);
  } catch (cause) {
    progress.failed();
    throw missing(`Docker could not be installed: ${messageOf(cause)}`, ...how);
  }
  progress.done();
  return (await which('dockerd')) ?? 'dockerd';
}

/** Waits for the engine's answer. @throws with the end of its log */
async function answering(pid: number, log: string): Promise<Found> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await find();
    if (found !== null) return found;
    if (!isAlive(pid) || Date.now() > deadline) {
      const last = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-3);
      throw missing('the Docker engine did not start', ...last, ...how);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Written by every engine itself, whoever started it. */
const ownPidFile = '/var/run/docker.pid';

/** Whether the pid in an engine's own file is one of an engine that runs; null: there is no file. */
async function runs(): Promise<boolean | null> {
  const pid = Number(await readFile(ownPidFile, 'utf8').catch(() => '0'));
  if (pid === 0) return null;
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() === 'dockerd';
}

/** Leftovers of an engine that was killed: its own pid file keeps a new one from starting when the pid is used again. */
async function dropStalePid(): Promise<void> {
  if ((await runs()) === false) await rm(ownPidFile, { force: true });
}

/** An engine that runs and does not answer is on its way up, or down, where no second one can start: found once it answers, null once it is gone. @throws after 30 s of neither */
async function passing(): Promise<Found | null> {
  for (const end = Date.now() + 30_000; (await runs()) === true;) {
    const found = await find();
    if (found !== null) return found;
    if (Date.now() > end) throw missing(await whyNot(), ...how);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return null;
}

async function start(program: string): Promise<Found> {
  await mkdir(usersDir, { recursive: true });
  await dropStalePid();
  const log = join(runDir, 'dockerd.log');
  const args = ['--host', `unix://${engineSocket()}`, '--bridge=none', '--iptables=false', '--ip6tables=false'];
  const file = openSync(log, 'w');
  const child = spawn(program, [...args, '--log-level=warn'], { detached: true, stdio: ['ignore', file, file] });
  child.unref();
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  await writeFile(pidFile, String(child.pid));
  return answering(child.pid ?? 0, log);
}

async function bring(out: Output): Promise<Found> {
  const there = await find();
  if (there !== null) return there;
  if (!isRoot() || process.platform !== 'linux') throw missing(await whyNot(), ...how);
  const program = await install(out);
  const again = await find();
  if (again !== null) return again;
  const progress = out.task('Docker engine');
  try {
    const passed = await passing();
    const found = passed ?? (await start(program));
    progress.done(passed === null ? `${found.version} started, stops with Loom` : `${found.version} answers`);
    return found;
  } catch (cause) {
    progress.failed();
    throw cause;
  }
}

async function users(): Promise<number[]> {
  const names = await readdir(usersDir).catch(() => []);
  return names.map(Number).filter((pid) => isAlive(pid));
}

/** Tells that this process uses the engine; the returned function tells that it no longer does (see D2). */
export async function useEngine(): Promise<() => Promise<void>> {
  const ours = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
  if (!isRoot() || ours === 0 || !isAlive(ours)) return async () => undefined;
  const mark = join(usersDir, String(process.pid));
  await mkdir(usersDir, { recursive: true });
  await writeFile(mark, '');
  return async () => {
    await rm(mark, { force: true });
    if ((await users()).length > 0) return;
    await rm(pidFile, { force: true });
    if (isAlive(ours)) process.kill(ours, 'SIGTERM');
    for (let i = 0; i < 150 && isAlive(ours); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  };
}

/** The Docker engine that sandboxes run in. */
export const dockerPart: Part = { name: 'Docker engine', find, bring, how };
