/** Who may connect. */
export type NatsUser =
  | 'gateway' | 'orchestrator' | 'agent-runner' | 'sandbox' | 'billing' | 'audit' | 'retention' | 'evals' | 'operator' | 'setup';

/** The `authorization { users: [...] }` block of nats.conf for the users that have a password here. */
export function natsUsers(passwords: Readonly<Record<string, string>>, streams = 4): string {
  throw new Error(`being written: ${Object.keys(passwords).length} ${streams}`);
}
