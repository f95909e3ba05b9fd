/** `node chaos/src/main.ts [--seed N] [--jobs N] [--minutes N] [--quiet]`: one chaos run, told as it goes; `--control NAME|none [--seed N]`: one trial of a control build. Exit 1 when something was wrong. */
import { parseArgs } from 'node:util';
import { controls, type Control } from './controls.ts';
import { chaos } from './run.ts';
import { trial } from './trial.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    jobs: { type: 'string', default: '30' },
    minutes: { type: 'string', default: '0' },
    control: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed);
const began = Date.now();
const tell = (line: string): void => {
  if (!values.quiet) process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
};

const controlOf = (name: string): Control | null => {
  if (name !== 'none' && !Object.hasOwn(controls, name))
    throw new RangeError(`control builds: ${Object.keys(controls).join(', ')}; none is Loom itself`);
  return name === 'none' ? null : (name as Control);
};

const outcome =
  values.control === undefined
    ? await chaos(seed, { jobs: Number(values.jobs), minutes: Number(values.minutes), tell })
    : await trial(controlOf(values.control), seed);
process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
process.exit(outcome.findings.length === 0 ? 0 : 1);
