/** Core NATS subscriptions to the log's subjects: hints that something may have happened, never the truth. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Hint } from './port.ts';
import { parseSubject } from './subjects.ts';
import type { Source } from './types.ts';

/** What stops work at once: kills asked for, epochs raised, tenants and jobs halted. */
const stops = [
  'loom.*.*.*.*.gateway.job.kill-requested.*',
  'loom.*.*.*.*.gateway.tenant.halted.*',
  'loom.*.*.*.*.orchestrator.epoch.raised.*',
  'loom.*.*.*.*.orchestrator.job.halted.*',
];

/** Who may listen to what. */
export const hintSubjects = {
  gateway: ['loom.>'],
  operator: ['loom.>'],
  'agent-runner': stops,
  sandbox: stops,
} as const satisfies Partial<Record<Source, readonly string[]>>;

const subjectsOf = (source: Source): readonly string[] =>
  Object.hasOwn(hintSubjects, source) ? hintSubjects[source as keyof typeof hintSubjects] : [];

/** Hears of every append that is tried; returns the function that ends it. */
export function watch(connection: NatsConnection, source: Source, handler: (hint: Hint) => void): () => void {
  const subscriptions = subjectsOf(source).map((subject) =>
    connection.subscribe(subject, {
      callback: (error, message) => void (error === null && tell(message.subject, handler)),
    }),
  );
  return () => subscriptions.forEach((subscription) => subscription.unsubscribe());
}

function tell(subject: string, handler: (hint: Hint) => void): void {
  let hint: Hint;
  try {
    hint = parseSubject(subject);
  } catch {
    return;
  }
  handler(hint);
}
