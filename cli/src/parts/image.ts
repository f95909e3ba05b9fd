/**
 * The sandbox image, tagged by the hash of its recipe: made once per machine and recipe, whoever asks.
 * With a registry: the Dockerfile. Without: the same packages by debootstrap (root, Debian or Ubuntu tools).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { messageOf, missing } from '../failure.ts';
import type { Output, Progress } from '../output.ts';
import { cacheDir, root } from '../root.ts';
import { engineGet, enginePost } from './engine.ts';
import type { Found, Part } from './part.ts';
import { aptInstall, isRoot, sh, which } from './shell.ts';

const recipeDir = join(root, 'services/sandbox/image');

/** What the Dockerfile says at its end, for the image that debootstrap makes. */
const settings = [
  'ENV LANG=C.UTF-8',
  'ENV MPLBACKEND=Agg',
  'ENV PYTHONDONTWRITEBYTECODE=1',
  'WORKDIR /workspace',
  'USER 65534:65534',
];

/** Seconds each step takes on two cores, for the progress bar alone. */
const steps = { base: 25, packages: 35, trim: 6, import: 5 };

/** `loom-sandbox:<hash>` of the files of the recipe; its README does not count. */
export async function imageTag(): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(recipeDir)).filter((file) => file !== 'README.md').toSorted();
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(recipeDir, file)));
  return `loom-sandbox:${hash.digest('hex').slice(0, 12)}`;
}

async function find(): Promise<Found | null> {
  const tag = await imageTag();
  const image = await engineGet(`/images/${tag}/json`).catch(() => null);
  return image === null ? null : { version: tag.split(':')[1] ?? '', where: tag };
}

/** True when the engine gets a first byte of the base image within `ms`. */
async function registryAnswers(ms = 15_000): Promise<boolean> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ms);
  try {
    await enginePost('/images/create?fromImage=debian&tag=bookworm-slim', { signal: abort.signal }, () => {
      clearTimeout(timer);
    });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function tarOf(dir: string): Readable {
  return spawn('tar', ['-C', dir, '--numeric-owner', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
}

async function byDockerfile(tag: string, progress: Progress): Promise<void> {
  const path = `/build?t=${tag}&networkmode=host&rm=1&forcerm=1`;
  await enginePost(path, { body: tarOf(recipeDir) }, (message) => {
    const said = /^Step (\d+)\/(\d+)/.exec(message.stream ?? '');
    if (said) progress.at((Number(said[1]) - 1) / Number(said[2]), `step ${said[1]} of ${said[2]}`);
  });
}

/** Moves the bar with the clock inside a step: debootstrap and apt do not say how far they are. */
function clocked(progress: Progress): (step: keyof typeof steps) => void {
  const order = Object.keys(steps) as (keyof typeof steps)[];
  const total = Object.values(steps).reduce((a, b) => a + b);
  let timer: NodeJS.Timeout | undefined;
  return (step) => {
    clearInterval(timer);
    const started = Date.now();
    const before = order.slice(0, order.indexOf(step)).reduce((sum, one) => sum + steps[one], 0);
    const move = (): void => {
      const inside = Math.min((Date.now() - started) / 1000, steps[step] * 0.95);
      progress.at((before + inside) / total, step);
    };
    move();
    timer = setInterval(move, 500);
    timer.unref();
  };
}

async function byDebootstrap(tag: string, progress: Progress): Promise<void> {
  if ((await which('debootstrap')) === null) {
    progress.at(0, 'apt-get install debootstrap');
    await aptInstall(['debootstrap']);
  }
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, 'image-'));
  const step = clocked(progress);
  const order = ['base', 'packages', 'trim', 'import'] as const;
  try {
    await sh(join(recipeDir, 'rootfs.sh'), [join(dir, 'root')], {
      line: (line) => step(order[Number(/^step (\d)/.exec(line)?.[1] ?? 1) - 1] ?? 'base'),
    });
    step('import');
    const changes = settings.map((one) => `&changes=${encodeURIComponent(one)}`).join('');
    const [repo, version] = tag.split(':');
    await enginePost(
      `/images/create?fromSrc=-&repo=${repo}&tag=${version}${changes}`,
      { body: tarOf(join(dir, 'root')) },
      () => undefined,
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function canDebootstrap(): Promise<boolean> {
  return isRoot() && ((await which('debootstrap')) !== null || (await which('apt-get')) !== null);
}

const how = [
  'let the Docker engine reach a registry (it needs debian:bookworm-slim), or run ./loom once as root on Debian or Ubuntu',
  'an image made elsewhere from services/sandbox/image: docker load, then docker tag it as ./loom doctor names it',
];

async function make(tag: string, progress: Progress): Promise<void> {
  if (await registryAnswers()) return byDockerfile(tag, progress);
  if (await canDebootstrap()) return byDebootstrap(tag, progress);
  throw missing('the sandbox image cannot be made: no registry answers, and debootstrap needs root and apt', ...how);
}

async function bring(out: Output): Promise<Found> {
  const there = await find();
  if (there !== null) return there;
  const tag = await imageTag();
  const progress = out.task(`sandbox image ${tag}`);
  try {
    progress.at(0, 'asking for a registry');
    await make(tag, progress);
    progress.done();
  } catch (cause) {
    progress.failed(messageOf(cause));
    throw missing(`the sandbox image could not be made: ${messageOf(cause)}`, ...how);
  }
  const found = await find();
  if (found === null) throw missing('the engine does not have the image it was given', ...how);
  return found;
}

/** The image that sandboxes are started from. */
export const imagePart: Part = { name: 'sandbox image', find, bring, how };
