/** The command table, in the order of `--help`. A command is one file of this folder. */
import type { Register } from './command.ts';
import { doctor } from './doctor.ts';
import { testCommand } from './test.ts';
import { downCommand, upCommand } from './up.ts';

export const commands: readonly Register[] = [upCommand, downCommand, testCommand, doctor];
