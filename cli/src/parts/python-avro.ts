/** Python with Debian's avro, a second implementation of Avro that the tests let read the log: any that the machine has, else Debian's package. */
import { messageOf, missing } from '../failure.ts';
import type { Output } from '../output.ts';
import type { Found, Part } from './part.ts';
import { aptInstall, isRoot, sh, which } from './shell.ts';

/** A Python of one's own comes first on PATH and does not see Debian's packages. */
const pythons = ['/usr/bin/python3', 'python3'];

const how = ['only tests need it; install it (Debian and Ubuntu: sudo apt-get install python3-avro)'];

async function find(): Promise<Found | null> {
  for (const where of pythons) {
    const version = await sh(where, ['-c', 'import avro; print(avro.__version__)']).catch(() => '');
    if (version !== '') return { version, where };
  }
  return null;
}

async function bring(out: Output): Promise<Found> {
  const there = await find();
  if (there !== null) return there;
  if (!isRoot() || (await which('apt-get')) === null)
    throw missing('no python3-avro for the tests of the events', ...how);
  const progress = out.task('Avro for Python: apt-get install python3-avro');
  try {
    await aptInstall(['python3-avro']);
    const found = await find();
    if (found === null) throw new Error('what was installed cannot be imported');
    progress.done(found.version);
    return found;
  } catch (cause) {
    progress.failed();
    throw missing(`python3-avro could not be installed: ${messageOf(cause)}`, ...how);
  }
}

export const pythonAvroPart: Part = { name: 'python3-avro', find, bring, how, forTests: true };

/** Path of a Python that has avro. @throws when there is none; nothing is fetched */
export async function findPythonAvro(): Promise<string> {
  const found = await find();
  if (found === null) throw missing('no python3-avro', ...how);
  return found.where;
}
