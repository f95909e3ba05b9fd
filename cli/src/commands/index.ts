/** The command table, in the order of `--help`. A command is one file of this folder. */
import type { Register } from './command.ts';
import { checkCommand } from './check.ts';
import { benchCommand } from './bench.ts';
import { consumersCommand } from './consumers.ts';
import { doctor } from './doctor.ts';
import { testCommand } from './test.ts';
import { eventsCommand } from './events.ts';
import { exportCommand } from './export.ts';
import { jobsCommand, tokenCommand } from './jobs.ts';
import { rebuildCommand } from './rebuild.ts';
import { diffCommand, forkCommand } from './fork.ts';
import { parkedCommand } from './parked.ts';
import { replayCommand } from './replay.ts';
import { runCommand } from './run.ts';
import { secretsCommand, setUpCommand } from './setup.ts';
import { downCommand, upCommand } from './up.ts';

export const commands: readonly Register[] = [
  runCommand,
  upCommand,
  downCommand,
  jobsCommand,
  tokenCommand,
  eventsCommand,
  exportCommand,
  consumersCommand,
  replayCommand,
  forkCommand,
  diffCommand,
  rebuildCommand,
  parkedCommand,
  checkCommand,
  testCommand,
  benchCommand,
  setUpCommand,
  secretsCommand,
  doctor,
];
