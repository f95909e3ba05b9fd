/** `./loom run`: the main job, from a brief to files. */
import { modelsFromEnv } from '@loom/models';
import type { JobView } from '@loom/job';
import { resolve } from 'node:path';
import { readBrief } from '../client/brief.ts';
import { budgetOf } from '../client/budget.ts';
import { download } from '../client/download.ts';
import { follow } from '../client/follow.ts';
import type { Gateway } from '../client/gateway.ts';
import { dollars } from '../client/swarm.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { act, type Register } from './command.ts';

interface RunOptions {
  readonly attach: readonly string[];
  readonly budget?: string;
  readonly out: string;
  readonly approve: string;
  readonly sandbox: boolean;
}

function approvalOf(text: string): 'ask' | 'deny' {
  if (text !== 'ask' && text !== 'deny') throw new Failure(2, `--approve takes ask or deny, not ${text}`);
  return text;
}

async function run(argument: string, options: RunOptions, out: Output): Promise<void> {
  const brief = await readBrief(argument, options.attach);
  const budgetMicros = budgetOf(options.budget);
  const approve = approvalOf(options.approve);
  for (const note of modelsFromEnv(process.env).notes) out.note(note);
  for (const { name, size } of brief.files) out.note(`attached: ${name}, ${size} bytes`);
  const { reachOrStart } = await import('../client/access.ts');
  const started = Date.now();
  await using reached = await reachOrStart(out, options);
  const { id } = await reached.gateway.submit(brief, { budgetMicros });
  out.note(`job ${id} at ${reached.url}`);
  const job = await watched(reached.gateway, id, out, approve);
  await deliver(reached.gateway, job, resolve(options.out), out, started);
}

/** Follows the job; the first Ctrl-C ends it, so that nothing goes on spending unseen. */
async function watched(gateway: Gateway, id: string, out: Output, approve: 'ask' | 'deny'): Promise<JobView> {
  const abort = new AbortController();
  const stop = (): void => {
    out.note('ending the job …');
    gateway.json('POST', `/v1/jobs/${id}/kill`).catch(() => abort.abort());
    process.once('SIGINT', () => process.exit(130));
  };
  process.once('SIGINT', stop);
  try {
    return await follow(gateway, id, out, { approve, signal: abort.signal });
  } finally {
    process.off('SIGINT', stop);
  }
}

async function deliver(gateway: Gateway, job: JobView, folder: string, out: Output, started: number): Promise<void> {
  const files = job.artifacts.length > 0 ? await download(gateway, job.id, folder) : [];
  out.record({
    job: job.id,
    status: job.status,
    spent_micros: job.spent_micros,
    files,
    refusal: job.refusal ?? null,
    failure: job.failure ?? null,
  });
  for (const file of files) out.print(file);
  const why = job.refusal ?? job.failure;
  if (job.status !== 'completed')
    throw new Failure(1, `the job ended as ${job.status}${why ? `: ${why.reason} [${why.code}]` : ''}`);
  out.print(
    `${job.status} in ${((Date.now() - started) / 1000).toFixed(1)} s, ${dollars(job.spent_micros)}, ${files.length} files`,
  );
}

export const runCommand: Register = (program) => {
  const command = program
    .command('run')
    .description('a brief becomes a swarm becomes files: submits, shows the swarm, writes final/ to --out')
    .argument('<brief>', 'the brief in quotes, or a file; files that it names beside it are attached')
    .option('--attach <file...>', 'more files for the agents', [])
    .option('--budget <dollars>', 'most that may be spent')
    .option('--out <dir>', 'where final/ goes', 'out')
    .option('--approve <how>', 'ask: put questions to you · deny: tell the agents that nobody answers', 'ask')
    .option('--no-sandbox', 'do without Docker: agents are told that no code can run');
  const examples = [
    './loom run examples/compare-packages.md --out out',
    './loom run "Which product sold best, and where?" --attach sales.csv',
    'ANTHROPIC_API_KEY=… ./loom run brief.md --budget 2.50',
  ];
  act<RunOptions>(command, examples, ({ args, options, out }) => run(args[0] ?? '', options, out));
};
