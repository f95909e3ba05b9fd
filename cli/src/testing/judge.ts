/**
 * When a test file has passed. uvu exits with 0 when `test.run()` is missing, when a `before` hook throws and when a
 * test throws something that is no Error, so the exit code alone proves nothing: exit 0, Total > 0 and Passed = Total do.
 */

export interface Run {
  /** null: ended by a signal. */
  readonly exit: number | null;
  readonly timedOut: boolean;
  /** stdout and stderr, in the order they came. */
  readonly output: string;
}

export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why it failed; '' when it passed. */
  readonly reason: string;
}

/** The last number behind a word of uvu's summary. */
function figure(output: string, word: string): number {
  return Number([...output.matchAll(new RegExp(`^\\s*${word}:\\s+(\\d+)\\s*$`, 'gm'))].at(-1)?.[1] ?? 0);
}

function reasonOf(run: Run, total: number, passed: number): string {
  if (run.timedOut) return 'killed: it did not end in time';
  if (total === 0) return 'no test ran (is test.run() missing?)';
  if (passed !== total) return `${total - passed} of ${total} failed`;
  if (run.exit !== 0) return run.exit === null ? 'ended by a signal' : `exit code ${run.exit}`;
  return '';
}

/** Judges one uvu file. A file that failed counts at least one failure. */
export function judgeFile(run: Run): Verdict {
  // oxlint-disable-next-line no-control-regex -- terminal colours are control characters
  const output = run.output.replaceAll(/\u001B\[[0-9;]*m/g, '');
  const [total, passed, skipped] = ['Total', 'Passed', 'Skipped'].map((word) => figure(output, word)) as [
    number,
    number,
    number,
  ];
  const reason = reasonOf(run, total, passed);
  return { passed, skipped, reason, failed: reason === '' ? 0 : Math.max(1, total - passed) };
}

/** Judges a check that is one case: its exit code is its word. */
export function judgeCheck(run: Run): Verdict {
  const reason = run.timedOut ? 'killed: it did not end in time' : run.exit === 0 ? '' : `exit code ${run.exit}`;
  return { passed: reason === '' ? 1 : 0, failed: reason === '' ? 0 : 1, skipped: 0, reason };
}
