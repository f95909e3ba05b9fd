/** `./loom check`: the whole log held against the design's invariants, at every prefix. */
import type { Finding, Progress, Report } from '@loom/check';
import { Failure } from '../failure.ts';
import { homeOf } from '../root.ts';
import type { Output } from '../output.ts';
import { act, type Register } from './command.ts';

interface CheckOptions {
  readonly job?: string;
  readonly running?: boolean;
  readonly decide?: boolean;
}

const most = 20;

function line({ rule, invariant, stream, seq, subject, message }: Finding): string {
  return `${stream} ${seq} ${subject}\n    ${rule} (invariant ${invariant}): ${message}`;
}

function tell({ findings, facts, jobs, open, rederived, skipped }: Report, out: Output): void {
  for (const finding of findings) out.record({ finding });
  out.record({ ok: findings.length === 0, facts, jobs, open, rederived, findings: findings.length, skipped });
  for (const finding of findings.slice(0, most)) out.print(line(finding));
  if (findings.length > most) out.print(`… and ${findings.length - most} more`);
  for (const what of skipped) out.note(`not checked: ${what}`);
  const anew = rederived > 0 ? `, ${rederived} decisions derived anew` : '';
  out.print(
    `${facts} facts, ${jobs} jobs (${open} running)${anew}: ${findings.length === 0 ? 'clean' : `${findings.length} broken rules`}`,
  );
}

async function check(options: CheckOptions, out: Output): Promise<void> {
  const { checkStack } = await import('../check/stack.ts');
  const task = out.task('check');
  const onProgress = ({ phase, done, total }: Progress): void =>
    task.at(total === 0 ? 1 : done / total, phase === 'reading' ? 'reading the log' : 'checking jobs');
  const report = await checkStack(homeOf(process.env), { ...options, onProgress }).catch((cause: unknown) => {
    task.failed();
    throw cause;
  });
  task.done();
  tell(report, out);
  if (!report.ok) throw new Failure(1, 'the log does not hold what the design promises');
}

export const checkCommand: Register = (program) => {
  const command = program
    .command('check')
    .description('holds the whole log against the invariants at every prefix; names the first fact that breaks one')
    .option('--job <id>', 'this job alone')
    .option('--running', 'jobs may still be running')
    .option('--decide', 'derive every decision anew; opens content, which is put on record');
  act<CheckOptions>(command, ['./loom check', './loom check --job job_0… --running --json'], ({ options, out }) =>
    check(options, out),
  );
};
