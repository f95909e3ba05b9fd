/** How every command is built, so that all share `--json`, the exit codes and the way errors are told. */
import type { Command } from 'commander';
import { output, type Output } from '../output.ts';

/** A file in this folder exports one of these; the table in `index.ts` lists them. */
export type Register = (program: Command) => void;

/** What an action gets: its positional arguments as strings, its options, and where to print. */
export type Action<O> = (context: { args: readonly string[]; options: O; out: Output }) => Promise<void>;

/** Adds `--json` and examples to a command and runs `work` with an Output. Throw a Failure to end with its exit code. */
export function act<O extends object>(command: Command, examples: readonly string[], work: Action<O>): Command {
  return command
    .option('--json', 'machine-readable lines on stdout, nothing else')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`)
    .action(async () => {
      const options = command.opts<O & { json?: boolean }>();
      await work({ args: command.processedArgs.flat().filter(isString), options, out: output(options.json === true) });
    });
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
