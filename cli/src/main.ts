/** Entry of `./loom`: parses the command line, runs one command, ends with its exit code. */
import { CommanderError, program } from 'commander';
import { commands } from './commands/index.ts';
import { Failure, messageOf } from './failure.ts';
import { drained } from './output.ts';
import { version } from './version.ts';

const overview = `
Start here:
  $ ./loom run examples/compare-packages.md --out out   a brief with data becomes a report in out/final/
  $ ./loom up                                           the whole system, with a URL to sign in at
  $ ./loom test                                         every check and test
  $ ./loom doctor                                       what is there, what is missing, how to get it

Models: set ANTHROPIC_API_KEY or OPENAI_API_KEY (or a *_BASE_URL of a local server); with none, the offline planner works.
Exit codes: 0 done, 1 the job or check failed, 2 usage, 3 a needed part is missing or unreachable.`;

function tell(failure: Failure, json: boolean): void {
  if (json)
    process.stdout.write(`${JSON.stringify({ error: failure.message, hints: failure.hints, exit: failure.exit })}\n`);
  process.stderr.write(`error: ${failure.message}\n${failure.hints.map((hint) => `  → ${hint}\n`).join('')}`);
}

/** commander's own endings: help and version are success, all else is wrong usage. */
function exitOf(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : 2;
  const failure = cause instanceof Failure ? cause : new Failure(1, messageOf(cause));
  tell(failure, process.argv.includes('--json'));
  if (process.env['LOOM_DEBUG'] && cause instanceof Error) process.stderr.write(`${cause.stack}\n`);
  return failure.exit;
}

// A reader that goes away (`| head`) is no fault.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : 1));

program
  .name('loom')
  .usage('<command> [options]')
  .version(version(), '-V, --version', 'print the version')
  .description('Loom turns a brief into a swarm of agents and their work into files.')
  .addHelpText('after', overview)
  .helpCommand('help [command]')
  .showHelpAfterError('(add --help for the options and examples)')
  .exitOverride()
  .configureHelp({ sortSubcommands: false });
for (const register of commands) register(program);

try {
  if (process.argv.length <= 2) program.help({ error: true });
  await program.parseAsync();
} catch (cause) {
  process.exitCode = exitOf(cause);
}
await drained();
// A handle that was left open must not keep a command alive whose work is done.
process.exit();
