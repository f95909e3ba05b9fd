/** Chromium, which the tests of the page drive: any that the machine has, else Debian's package. */
import { messageOf, missing } from '../failure.ts';
import type { Output } from '../output.ts';
import type { Found, Part } from './part.ts';
import { aptInstall, isRoot, sh, which } from './shell.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const how = [
  'only tests need it; install Chromium or Chrome (Debian and Ubuntu: sudo apt-get install chromium), or name one in LOOM_CHROMIUM',
];

async function find(): Promise<Found | null> {
  const places = [process.env['LOOM_CHROMIUM'] ?? null, ...(await Promise.all(names.map(which)))];
  for (const where of places) {
    const said = where === null || where === '' ? '' : await sh(where, ['--version']).catch(() => '');
    const version = /(\d+(\.\d+)+)/.exec(said)?.[1];
    if (where !== null && version !== undefined) return { version, where };
  }
  return null;
}

async function bring(out: Output): Promise<Found> {
  const there = await find();
  if (there !== null) return there;
  if (!isRoot() || (await which('apt-get')) === null) throw missing('no Chromium for the tests of the page', ...how);
  const progress = out.task('Chromium: apt-get install chromium');
  try {
    await aptInstall(['chromium']);
  } catch (cause) {
    progress.failed();
    throw missing(`Chromium could not be installed: ${messageOf(cause)}`, ...how);
  }
  const found = await find();
  if (found === null) {
    progress.failed();
    throw missing('the Chromium that was installed does not start', ...how);
  }
  progress.done(found.version);
  return found;
}

export const chromiumPart: Part = { name: 'Chromium', find, bring, how, forTests: true };

/** Path of a Chromium. @throws when there is none; nothing is fetched */
export async function findChromium(): Promise<string> {
  const found = await find();
  if (found === null) throw missing('no Chromium', ...how);
  return found.where;
}
