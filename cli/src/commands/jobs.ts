/** `./loom jobs` and `./loom token`: a look at jobs, and a way in. */
import type { JobView } from '@loom/job';
import { dollars, swarmLines } from '../client/swarm.ts';
import { homeOf } from '../root.ts';
import { act, type Register } from './command.ts';
import type { Output } from '../output.ts';

function showJob(job: JobView, out: Output): void {
  out.record(job);
  out.print(`${job.id} · ${job.engagement} · ${job.created_at}`);
  out.print(job.brief.length > 300 ? `${job.brief.slice(0, 300)}…` : job.brief);
  for (const line of swarmLines(job, new Map(), 200)) out.print(line);
  for (const { path, size } of job.artifacts) out.print(`  ${path} (${size} bytes)`);
  for (const { id, question } of job.pending) out.print(`  ? ${id}: ${question}`);
  const why = job.refusal ?? job.failure;
  if (why) out.print(`  ${why.code}: ${why.reason}`);
}

async function jobs(id: string | undefined, out: Output): Promise<void> {
  const { reach } = await import('../client/access.ts');
  const { gateway } = await reach();
  if (id !== undefined) return showJob(await gateway.job(id), out);
  const { items } = await gateway.json<{ items: JobView[] }>('GET', '/v1/jobs?limit=100');
  for (const job of items) {
    out.record(job);
    out.print(
      `${job.id}  ${job.status.padEnd(16)} ${dollars(job.spent_micros).padStart(9)}  ${job.created_at}  ${job.brief.split('\n')[0]?.slice(0, 60) ?? ''}`,
    );
  }
  if (items.length === 0) out.note('no jobs yet; ./loom run "<brief>" makes one');
}

export const jobsCommand: Register = (program) => {
  const command = program
    .command('jobs')
    .description('the jobs of the running Loom, or one of them in full')
    .argument('[id]', 'a job');
  act(command, ['./loom jobs', './loom jobs job_0… --json'], ({ args, out }) => jobs(args[0], out));
};

export const tokenCommand: Register = (program) => {
  const command = program
    .command('token')
    .description('a session token of the local issuer, valid for an hour')
    .option('--tenant <name>', 'for a shared tenant instead of your own')
    .option('--admin', 'with the admin claim');
  act<{ tenant?: string; admin?: boolean }>(
    command,
    ['curl -H "Authorization: Bearer $(./loom token)" $URL/v1/jobs'],
    async ({ options, out }) => {
      const { mintToken } = await import('../stack/issuer.ts');
      const token = await mintToken(homeOf(process.env), options);
      out.record({ token });
      out.print(token);
    },
  );
};
