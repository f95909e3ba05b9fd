/**
 * Planted bugs: one rule of Loom taken away at a seam, in the simulation alone. A simulation that does not find them would prove nothing.
 */
import type { Agent, Job, JobCache } from '@loom/job';
import type { Log } from '@loom/log';
import type { Decide } from '@loom/orchestrator';
import type { Sent } from './server/connection.ts';

export interface Bug {
  /** What is gone, in words. */
  readonly gone: string;
  /** What leaves a process. */
  readonly sent?: (message: Sent) => Sent;
  readonly log?: (log: Log) => Log;
  readonly decide?: (decide: Decide) => Decide;
  /** How the agent-runner sees a job. */
  readonly jobs?: (jobs: Pick<JobCache, 'at'>) => Pick<JobCache, 'at'>;
}

const has = ({ pairs }: Sent, name: string): boolean => pairs.some(([other]) => other === name);

const unexpecting = (message: Sent): Sent => ({
  ...message,
  pairs: message.pairs.filter(([name]) => !name.startsWith('Nats-Expected-')),
});

const unhalted = ({ agents, ...job }: Job): Job => ({
  ...job,
  epoch: 0,
  killRequested: false,
  agents: new Map([...agents].map(([id, agent]) => [id, { ...agent, killRequested: false }])),
});

const hasty = (agent: Agent): Agent => ({
  ...agent,
  spawned: { ...agent.spawned, needs: agent.spawned.needs.slice(0, -1) },
});

export const bugs = {
  'no-fence': {
    gone: 'A decision is appended without its fence.',
    sent: (message) => (has(message, 'loom-chain') ? unexpecting(message) : message),
  },
  'no-epoch-check': {
    gone: 'The agent-runner does not look whether the work that it was given is still wanted.',
    jobs: (jobs) => ({ at: async (address, minSeq) => unhalted(await jobs.at(address, minSeq)) }),
  },
  'reserve-after-spend': {
    gone: 'Money counts against the cap when it is spent, not when it is reserved.',
    decide: (decide) => (job, intake) => decide({ ...job, money: { ...job.money, reserved: 0 } }, intake),
  },
  'dispatch-twice': {
    gone: 'A dispatch expects nothing under its subject, so what is sent again lies there twice.',
    sent: (message) => (has(message, 'loom-decision') ? unexpecting(message) : message),
  },
  'duplicate-swallowed': {
    gone: 'An append that finds its place taken counts as stored, whoever took it.',
    log: (log) => ({ ...log, append: async (...act) => ({ ...(await log.append(...act)), won: true }) }),
  },
  'join-off-by-one': {
    gone: 'An agent begins when all but the last of those that it waits for have ended.',
    decide: (decide) => (job, intake) =>
      decide({ ...job, agents: new Map([...job.agents].map(([id, agent]) => [id, hasty(agent)])) }, intake),
  },
} as const satisfies Readonly<Record<string, Bug>>;

export type BugName = keyof typeof bugs;
