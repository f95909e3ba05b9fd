/** The orchestrator's decisions and open jobs as figures: counted as they are recorded, looked up when somebody scrapes. */
import type { Head, Log } from '@loom/log';
import { metrics } from '@loom/service';
import { Sweep } from './consumers/sweep.ts';

const items = metrics.counter('loom.orchestrator.items', 'Items of recorded decisions, by type.');

/** What alerts wait for is shown from the start. */
for (const type of ['job.accepted', 'job.failed', 'job.refused', 'budget.exhausted', 'epoch.raised'])
  items.add(0, { 'loom.fact': type });
metrics.counter('loom_orchestrator_fences_lost_total', 'Decisions that another orchestrator made first.').add(0);

/** The log, the recorded decisions of which are counted by what they hold. */
export function counted(log: Log): Log {
  return {
    ...log,
    async decide(to, drafts, fence, options) {
      const made = await log.decide(to, drafts, fence, options);
      if (made !== null) for (const { type } of drafts) items.add(1, { 'loom.fact': type });
      return made;
    },
  };
}

const help = {
  'loom.jobs.open': 'Jobs without a terminal fact.',
  'loom.jobs.oldest_seconds': 'Age of the oldest open job; 0 when there is none.',
} as const;

/**
 * Shows the open jobs until the function returned is called. A scrape tells what the last look found and begins the next one,
 * so that a long log makes no scrape wait; every replica sees the same.
 */
export function measureJobs(log: Log): () => void {
  const sweep = new Sweep(log);
  let open: readonly Head[] | null = null;
  let looking = false;
  const look = async (): Promise<void> => void (open = await sweep.open());
  return metrics.observe('Gauge', help, (tell) => {
    if (open !== null) {
      const now = log.now();
      tell('loom.jobs.open', open.length);
      tell('loom.jobs.oldest_seconds', open.reduce((age, { time }) => Math.max(age, now - time), 0) / 1000);
    }
    if (looking) return;
    looking = true;
    look()
      .catch(() => (open = null)) // the log is away: nothing is known, nothing is shown
      .finally(() => (looking = false));
  });
}
