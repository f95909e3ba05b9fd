/** Everything that can be checked of a system: its log by the rules, its projections by rebuilds. */
import { checkLog, type CheckOptions, type Report } from '@loom/check';
import type { Log } from '@loom/log';
import { checkProjections } from './projections.ts';

/** `postgresUrl`: as a superuser. With `decide` the log needs a vault. @throws LoomError `log_unavailable`, `database_unavailable`, `not_found` */
export async function checkAll(log: Log, options: CheckOptions, postgresUrl: string): Promise<Report> {
  const report = await checkLog(log, options);
  if (options.job !== undefined) return report;
  if (report.findings.some(({ rule }) => rule === 'sum' || rule === 'readable'))
    return withSkipped(report, 'projections were not rebuilt: the log is damaged');
  const opens = options.decide !== undefined;
  const { findings } = await checkProjections({ log, postgresUrl, opens, running: options.running ?? false });
  const all = { ...report, ok: report.ok && findings.length === 0, findings: [...report.findings, ...findings] };
  return opens ? all : withSkipped(all, 'rows of gateway.jobs were not rebuilt: that needs the keys (--decide)');
}

const withSkipped = (report: Report, what: string): Report => ({ ...report, skipped: [...report.skipped, what] });
