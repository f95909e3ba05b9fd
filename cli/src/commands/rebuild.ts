/** `./loom rebuild NAME`: a projection made anew from the log, beside the live one, then swapped in. */
import type { Log } from '@loom/log';
import type { Projection, RebuildProgress, RebuildReport } from '@loom/projection';
import { LoomError } from '@loom/service';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { act, type Register } from './command.ts';

interface RebuildOptions {
  readonly dryRun?: boolean;
}

type Projecting = (log: Log, out: Output) => Promise<Projection>;

/** Its rows are folds of jobs, which need the keys. */
const jobs: Projecting = async (log, out) => {
  const [{ jobView }, { JobCache }] = await Promise.all([import('@loom/gateway'), import('@loom/job')]);
  const onShut = (job: string): void => out.note(`${job} cannot be opened any more: its row stays as it is`);
  // No further than the facts that are applied, and without snapshots: what is compared is made of the log alone.
  const read: Log['readFed'] = (at, { after, atLeast }) => log.read(at, { after, upto: atLeast });
  return jobView({ jobs: new JobCache({ read }), onShut });
};

/** By the service whose rows they are; `jobs` is the gateway's list. */
export const projections: Readonly<Record<string, Projecting>> = {
  billing: async () => (await import('@loom/billing')).usageView,
  audit: async () => (await import('@loom/audit')).auditView,
  retention: async () => (await import('@loom/retention')).artifactView,
  evals: async () => (await import('@loom/evals')).suiteRunView,
  gateway: jobs,
  jobs,
};

const names = Object.keys(projections).join(', ');

function tell(name: string, { unread, differences, ...report }: RebuildReport, out: Output): void {
  for (const difference of differences) {
    out.record({ difference });
    out.print(
      `${difference.side === 'live' ? 'the live one alone has' : 'the live one lacks'} ${difference.table} ${difference.row}`,
    );
  }
  for (const fact of unread) out.record({ unread: fact });
  for (const { stream, seq, reason } of unread)
    out.note(`not applied: ${stream} ${seq} (${reason}); ./loom parked tells of it`);
  const { facts, rate, rows, differing, swapped } = report;
  out.record({ projection: name, agree: differing === 0, unread: unread.length, ...report });
  const agreed = differing === 0 ? 'both agree' : `${differing} rows differ`;
  out.print(
    `${name}: ${facts} facts at ${rate} a second; ${rows} live rows, ${agreed}; ${swapped ? 'swapped' : 'nothing was changed'}`,
  );
}

const words: Readonly<Record<RebuildProgress['phase'], string>> = {
  reading: 'reading the log',
  comparing: 'comparing with the live rows',
  swapping: 'swapping',
};

async function run(
  name: string,
  projecting: Projecting,
  { dryRun = false }: RebuildOptions,
  out: Output,
): Promise<RebuildReport> {
  const [{ openPool, rebuild }, { operatorOn, postgresOf, putOnRecord }] = await Promise.all([
    import('@loom/projection'),
    import('../check/stack.ts'),
  ]);
  // The act itself is on record under the operator's key.
  const reached = await operatorOn(homeOf(process.env), true);
  await using log = reached.log;
  await putOnRecord(log, dryRun ? 'loom rebuild --dry-run' : 'loom rebuild', name);
  const pool = openPool(postgresOf(reached), 'rebuild', 8);
  const task = out.task(`rebuild of ${name}`);
  const onProgress = ({ phase, done, total }: RebuildProgress): void =>
    task.at(phase === 'reading' && total > 0 ? Math.min(1, done / total) : null, words[phase]);
  try {
    const report = await rebuild({ log, pool, projection: await projecting(log, out), dryRun, onProgress });
    task.done();
    return report;
  } catch (cause) {
    task.failed();
    throw cause;
  } finally {
    await pool.end();
  }
}

/** What cannot be reached is a missing part. */
function failureOf(cause: unknown): unknown {
  const missing = cause instanceof LoomError && /^(log|database)_unavailable$|^root_key_unreadable$/.test(cause.code);
  return missing ? new Failure(3, cause.message, ['./loom doctor shows what is missing'], { cause }) : cause;
}

async function rebuildNamed(name: string, options: RebuildOptions, out: Output): Promise<void> {
  const projecting = Object.hasOwn(projections, name) ? projections[name] : undefined;
  if (projecting === undefined) throw new Failure(2, `no projection is called ${name}`, [`there are ${names}`]);
  const report = await run(name, projecting, options, out).catch((cause: unknown) => {
    throw failureOf(cause);
  });
  tell(name, report, out);
  if (!report.swapped && report.differing > 0)
    throw new Failure(1, 'the live rows are not what the log makes', [
      `./loom rebuild ${name} puts the others in their place`,
    ]);
}

export const rebuildCommand: Register = (program) => {
  const command = program
    .command('rebuild')
    .description(
      'makes a projection anew from the log, beside the live one, compares the two and swaps them; reads never stop',
    )
    .argument('<name>', names)
    .option('--dry-run', 'compare only');
  act<RebuildOptions>(
    command,
    ['./loom rebuild billing', './loom rebuild jobs --dry-run --json'],
    ({ args, options, out }) => rebuildNamed(args[0] ?? '', options, out),
  );
};
