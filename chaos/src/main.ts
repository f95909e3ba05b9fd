/** `node chaos/src/main.ts [--seed N] [--jobs N] [--rounds N] [--full] [--quiet]`: a chaos run of so many storms, told as it goes, `--full`: as many as take; `--control NAME|none [--seed N]`: one trial of a control build. Exit 1 when something was wrong. */
import { parseArgs } from 'node:util';
import { controls, type Control } from './controls.ts';
import { fullDeck, fullRounds } from './rage.ts';
import { chaos } from './run.ts';
import { trial } from './trial.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    jobs: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '1' },
    full: { type: 'boolean', default: false },
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

/** @throws RangeError: a run of no storm or no job would find nothing wrong */
function atLeastOne(option: 'jobs' | 'rounds'): number {
  const number = Number(values[option]);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`--${option} takes a whole number from 1 on`);
  return number;
}

const plan = values.full ? { deck: fullDeck, rounds: fullRounds } : { rounds: atLeastOne('rounds') };
const outcome =
  values.control === undefined
    ? await chaos(seed, { ...plan, jobs: atLeastOne('jobs'), tell })
    : await trial(controlOf(values.control), seed);
process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
process.exit(outcome.findings.length === 0 ? 0 : 1);
