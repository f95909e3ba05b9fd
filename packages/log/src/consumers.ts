/** The table of durables: who is handed what, and whether one replica at a time takes a stream. */
export interface ConsumerRow {
  /** Durable's name, the service's name, and its NATS user. */
  readonly service: string;
  /** `<source>.<noun>.<verb>.<key>` patterns; whole streams when empty. */
  readonly facts: readonly string[];
  /** Patterns of those that the service is to handle; all when absent. The others are acknowledged as they come: they only feed its folds. */
  readonly triggers?: readonly string[];
  /** A stream's facts go to the replica that holds its lease. */
  readonly leased: boolean;
  /** For projections: an ack covers everything before it. */
  readonly inOrder: boolean;
}

const everything: readonly string[] = [];
const projection = (service: string): ConsumerRow => ({ service, facts: everything, leased: true, inOrder: true });

export const consumerTable: readonly ConsumerRow[] = [
  {
    service: 'orchestrator',
    facts: everything,
    triggers: [
      'gateway.job.>',
      'gateway.message.>',
      'gateway.checkpoint.>',
      'agent-runner.step.settled.*',
      'agent-runner.tool.settled.*',
      'sandbox.tool.settled.*',
      'timer.timer.fired.*',
      'operator.step.resolved.*',
    ],
    leased: true,
    inOrder: false,
  },
  {
    service: 'agent-runner',
    facts: ['orchestrator.step.requested.*', 'orchestrator.tool.requested.*'],
    leased: false,
    inOrder: false,
  },
  { service: 'sandbox', facts: ['orchestrator.run.requested.*'], leased: false, inOrder: false },
  projection('gateway'),
  projection('billing'),
  projection('audit'),
  projection('retention'),
  projection('evals'),
];

export const rowOf = (service: string): ConsumerRow | undefined => consumerTable.find((row) => row.service === service);

/** What every durable is handed beside its own facts, and every consumer handles: redrives of messages that it parked. */
export const redrives = 'operator.message.redriven.*';

/** Filters of a durable on an event stream. */
export const filtersOf = (row: ConsumerRow): string[] =>
  row.facts.length === 0 ? ['loom.>'] : [...row.facts, redrives].map((pattern) => `loom.*.*.*.*.${pattern}`);

export const timerStream = 'LOOM_TIMERS';
/** The orchestrator's durable there. */
export const timerConsumer = 'orchestrator';
