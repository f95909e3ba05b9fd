/** `node sim/src/main.ts --seeds N [--seed S] [--bug NAME] [--json]`: as many simulated Looms. Exit 0 all held (or the bug was found), 1 not, 2 usage. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { bugs } from './bugs.ts';
import type { BugName } from './bugs.ts';
import { seeds } from './seeds.ts';
import type { Tally } from './seeds.ts';

interface Given {
  readonly seeds: number;
  readonly seed: number;
  readonly bug?: BugName;
  readonly json: boolean;
}

const whole = (least: number) => (text: string) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
  return number;
};

const about = [
  'Lives through a Loom in memory for each seed: the real decider, fold, turns, agent-runner and log code on a simulated server,',
  'clock and network that drop, duplicate, delay, reorder, crash and pause. Afterwards the history is held against the invariants.',
  'A seed is always the same history; a finding names its seed, and --seed repeats it.',
].join(' ');

const bugList = Object.entries(bugs)
  .map(([name, { gone }]) => `  ${name.padEnd(20)} ${gone}`)
  .join('\n');

const program = new Command('sim')
  .description(about)
  .addOption(new Option('--seeds <n>', 'how many seeds, one after the other').default(200).argParser(whole(1)))
  .addOption(new Option('--seed <n>', 'the first of them').default(1).argParser(whole(0)))
  .addOption(new Option('--bug <name>', 'plants a bug and stops when it is found').choices(Object.keys(bugs)))
  .option('--json', 'one line of JSON on stdout and nothing else', false)
  .addHelpText('after', `\nBugs:\n${bugList}\n`)
  .configureOutput({ outputError: (text, write) => write(`${text.trimEnd()}\nTry --help.\n`) })
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse();

const given = program.opts<Given>();
const began = performance.now();
const tally = await seeds(given.seed, given.seeds, { bug: given.bug ?? null, onProgress });
if (process.stderr.isTTY && !given.json) process.stderr.write('\r\u001B[K');
process.stdout.write(given.json ? `${JSON.stringify(tally)}\n` : wordsOf(tally));
process.exit(tally.found.length > 0 === (given.bug !== undefined) ? 0 : 1);

function onProgress(done: number, found: number): void {
  const line = `${done} of ${given.seeds} seeds, ${found} with findings, ${Math.round((performance.now() - began) / 1000)} s`;
  if (given.json) return;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}`);
  else if (done % 100 === 0) process.stderr.write(`${line}\n`);
}

function wordsOf({ seeds: count, facts, moments, hours, ends, faults, crashes, hash, found }: Tally): string {
  const rows = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, times]) => `  ${name.padEnd(20)} ${times}`)
      .join('\n');
  const findings = found.map(({ seed, findings: [first = ''] }) => `  seed ${seed}: ${first}`).join('\n');
  return `${count} seeds: ${facts} facts, ${moments} moments, ${hours} h of simulated time, history ${hash.slice(0, 16)}
ends
${rows(ends)}
faults
${rows(faults)}
processes died at ${crashes.length} different places, before or after an append
${found.length === 0 ? 'nothing found' : `found\n${findings}`}
`;
}
