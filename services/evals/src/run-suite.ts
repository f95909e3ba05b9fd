/**
 * Owns one run of a suite against a live system, as any API client would run it.
 * E1  Run id, suite and case make the idempotency key: a run that is begun again, or by two replicas, meets its own jobs.
 * E2  `suite.ran` is unique under suite and run: whoever comes second finds it written.
 * E3  A job that does not end in time is cancelled and scores nothing; a case never stops the others.
 */
import type { Log } from '@loom/log';
import { LoomError, logger } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { filesOf, scoreSuite } from './domain/score.ts';
import type { Case, Outcome, Suite, SuiteScore } from './domain/score.ts';

export interface RunParts {
  readonly client: Client;
  readonly log: Pick<Log, 'append'>;
  /** `[a-z0-9_-]`, the same for the same run. */
  readonly run: string;
  readonly signal: AbortSignal;
  /** Between two looks at a job, ms; default 1,000. */
  readonly pollMs?: number;
}

const ended: ReadonlySet<string> = new Set(['completed', 'failed', 'refused', 'cancelled']);

async function waitFor(parts: RunParts, suite: Suite, job: string): Promise<string> {
  const until = performance.now() + suite.patience_s * 1_000;
  while (performance.now() < until) {
    const status = await parts.client.status(job);
    if (ended.has(status)) return status;
    await sleep(parts.pollMs ?? 1_000, undefined, { signal: parts.signal });
  }
  await parts.client.cancel(job, `${parts.run}-cancel-${job}`);
  return 'timed_out';
}

async function filesIn(parts: RunParts, one: Case, job: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of filesOf(one)) {
    const text = await parts.client.artifact(job, path);
    if (text !== null) files[path] = text;
  }
  return files;
}

async function runCase(parts: RunParts, suite: Suite, one: Case): Promise<Outcome> {
  const job = await parts.client.submit(one, `evals-${suite.name}-${parts.run}-${one.name}`);
  const status = await waitFor(parts, suite, job);
  const files = status === 'completed' ? await filesIn(parts, one, job) : {};
  return { case: one.name, job, status, files };
}

/** A case that could not be run is told in the log and has no outcome. */
async function tryCase(parts: RunParts, suite: Suite, one: Case): Promise<readonly Outcome[]> {
  try {
    return [await runCase(parts, suite, one)];
  } catch (cause) {
    parts.signal.throwIfAborted();
    logger('evals').error({ err: cause, suite: suite.name, case: one.name }, 'a case could not be run');
    return [];
  }
}

/**
 * Runs the cases one after another, scores them, records `suite.ran`.
 * @throws LoomError `not_ready` when no case at all could be submitted (nothing is recorded, the run may be begun again); when the signal aborts
 */
export async function runSuite(parts: RunParts, suite: Suite): Promise<SuiteScore> {
  const begun = performance.now();
  const outcomes: Outcome[] = [];
  for (const one of suite.cases) outcomes.push(...(await tryCase(parts, suite, one)));
  if (outcomes.length === 0) throw new LoomError('not_ready', 'no case of the suite could be run');
  const score = scoreSuite(suite, outcomes);
  await parts.log.append(
    { tenant: '_', stream: 'system' },
    {
      type: 'suite.ran',
      key: `${suite.name}-${parts.run}`,
      body: {
        suite: suite.name,
        cases: suite.cases.length,
        passed: score.passed,
        score_ppm: score.score_ppm,
        jobs: outcomes.map((outcome) => outcome.job),
        duration_ms: Math.round(performance.now() - begun),
      },
    },
  );
  return score;
}
