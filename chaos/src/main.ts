/** `node chaos/src/main.ts [--seed N] [--jobs N] [--minutes N] [--control NAME]`: one chaos run, told as it goes; exit 1 when something was wrong. */
import { parseArgs } from 'node:util';
import { controls, type Control } from './controls.ts';
import { chaos } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    jobs: { type: 'string', default: '30' },
    minutes: { type: 'string', default: '0' },
    control: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});

const controlOf = (name: string | undefined): { control?: Control; whole?: boolean } => {
  if (name === undefined) return {};
  if (!Object.hasOwn(controls, name)) throw new RangeError(`control builds: ${Object.keys(controls).join(', ')}`);
  return { control: name as Control, whole: false };
};

const began = Date.now();
const tell = (line: string): void => {
  if (!values.quiet) process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
};
const outcome = await chaos({
  seed: Number(values.seed),
  jobs: Number(values.jobs),
  minutes: Number(values.minutes),
  ...controlOf(values.control),
  tell,
});
process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
process.exit(outcome.findings.length === 0 ? 0 : 1);
