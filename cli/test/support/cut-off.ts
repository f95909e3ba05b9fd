/** Programs that their kill timer is to meet when they have come to something. */
import type { Run } from '../../src/testing/judge.ts';
import { runCommand } from '../../src/testing/run.ts';

type Options = Omit<Parameters<typeof runCommand>[1], 'seconds'>;

/** Runs a command that never ends under longer and longer kill timers, until one lets it say what it is to have said before it is killed. */
export async function cutOff(command: readonly string[], options: Options, said: RegExp): Promise<Run> {
  for (let seconds = 1; ; seconds *= 2) {
    const run = await runCommand(command, { ...options, seconds });
    if (said.test(run.output) || seconds > 16) return run;
  }
}
