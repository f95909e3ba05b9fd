/** The orchestrator's decisions, open jobs and what is parked as figures: counted as they are recorded, looked up when somebody scrapes. */
import { parkedAttempt, playsBack, type Job } from '@loom/job';
import { consumerTable, ParkedMessages } from '@loom/log';
import type { Address, Head, Log, Parked } from '@loom/log';
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

/** When steps were parked, Unix ms, by job: as the turns of this process left them. Another replica's are known with the next sweep. */
export class ParkedSteps {
  readonly #since = new Map<string, readonly number[]>();

  see(job: Job): void {
    const since = playsBack(job)
      ? []
      : [...job.agents.values()].flatMap((agent) => parkedAttempt(job, agent)?.settledAt ?? []);
    if (since.length > 0) this.#since.set(job.stream, since);
    else this.#since.delete(job.stream);
  }

  /** Of the jobs that are open; those that ended elsewhere are forgotten. */
  of(open: readonly Address[]): readonly number[] {
    const names = new Set(open.map(({ stream }) => stream));
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name);
    return [...this.#since.values()].flat();
  }
}

const help = {
  'loom.jobs.open': 'Jobs without a terminal fact.',
  'loom.jobs.oldest_seconds': 'Age of the oldest open job; 0 when there is none.',
  'loom.parked': 'Steps and messages that wait for an operator, by kind and by the service that failed at them.',
  'loom.parked.oldest_seconds': 'How long the oldest of them has waited; 0 when there is none.',
} as const;

/** What waits for an operator: since when each of it was parked, Unix ms. */
interface Waiting {
  readonly kind: 'step' | 'message';
  /** That failed at it. */
  readonly service: string;
  readonly since: readonly number[];
}

function waitingOf(messages: readonly Parked[], steps: readonly number[]): readonly Waiting[] {
  const parked = messages.filter(({ state }) => state === 'parked');
  const ofService = (service: string): readonly number[] =>
    parked.filter(({ consumer }) => consumer === service).map(({ since }) => since);
  return [
    { kind: 'step', service: 'agent-runner', since: steps },
    ...consumerTable.map(({ service }): Waiting => ({ kind: 'message', service, since: ofService(service) })),
  ];
}

/** The longest that any of these moments lies back, s; 0 when there is none. */
const ageOf = (now: number, moments: readonly number[]): number =>
  moments.reduce((age, moment) => Math.max(age, now - moment), 0) / 1000;

/**
 * Shows the open jobs and what is parked until the function returned is called. A scrape tells what the last look found and begins the
 * next one, so that a long log makes no scrape wait; every replica sees the same.
 */
export function measureJobs(log: Log, steps: ParkedSteps): () => void {
  const sweep = new Sweep(log);
  const messages = new ParkedMessages(log);
  let found: { readonly open: readonly Head[]; readonly waiting: readonly Waiting[] } | null = null;
  let looking = false;
  const look = async (): Promise<void> => {
    const open = await sweep.open();
    found = { open, waiting: waitingOf(await messages.all(), steps.of(open)) };
  };
  return metrics.observe('Gauge', help, (tell) => {
    if (found !== null) {
      const now = log.now();
      tell('loom.jobs.open', found.open.length);
      tell(
        'loom.jobs.oldest_seconds',
        ageOf(
          now,
          found.open.map(({ time }) => time),
        ),
      );
      for (const { kind, service, since } of found.waiting) {
        const attributes = { kind, 'messaging.consumer.group.name': service };
        tell('loom.parked', since.length, attributes);
        tell('loom.parked.oldest_seconds', ageOf(now, since), attributes);
      }
    }
    if (looking) return;
    looking = true;
    look()
      .catch(() => (found = null)) // the log is away: nothing is known, nothing is shown
      .finally(() => (looking = false));
  });
}
