/** `./loom bench`: benchmarks, each beside a plain alternative or its physical limit in the same run. */
import type { Figure } from '@loom/bench';
import { Failure } from '../failure.ts';
import { natsPart } from '../parts/nats.ts';
import type { Output } from '../output.ts';
import { act, type Register } from './command.ts';

const head = ['case', 'metric', 'value', 'reference', '', 'ratio'];

function line(cells: readonly string[]): string {
  const widths = [44, 8, 16, 16, 16, 6];
  return cells.map((cell, i) => (i > 1 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ');
}

function show(figure: Figure, out: Output): void {
  const { case: name, metric, value, unit, reference, reference_value: other, ratio } = figure;
  out.record(figure);
  out.print(line([name, metric, `${value} ${unit}`, reference, `${other} ${unit}`, ratio.toFixed(2)]));
}

async function run(name: string | undefined, rounds: number, out: Output): Promise<void> {
  const { benchmarks } = await import('@loom/bench');
  const names = name === undefined ? Object.keys(benchmarks) : [name];
  const unknown = names.find((one) => !Object.hasOwn(benchmarks, one));
  if (unknown !== undefined)
    throw new Failure(2, `no benchmark is called ${unknown}; there are ${Object.keys(benchmarks).join(', ')}`);
  // What a benchmark started is stopped when this process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const nats = (await natsPart.bring(out)).where;
  for (const one of names) {
    out.print(line([one, ...head.slice(1)]));
    const note = (what: string): void => out.note(`${one}: ${what}`);
    for await (const figure of benchmarks[one]!({ nats, rounds, note })) show(figure, out);
  }
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 3 && rounds <= 99) return rounds;
  throw new Failure(2, '--rounds takes a whole number from 3 to 99');
}

export const benchCommand: Register = (program) => {
  const command = program
    .command('bench')
    .description('benchmarks beside a plain alternative in the same run; the median of the rounds')
    .argument('[name]', 'pingpong, cluster or replay; all without it')
    .option('--rounds <n>', 'rounds, taken in turn', '3');
  const examples = ['./loom bench', './loom bench pingpong --json', './loom bench cluster --rounds 5'];
  act<{ rounds: string }>(command, examples, ({ args, options, out }) => run(args[0], roundsOf(options.rounds), out));
};
