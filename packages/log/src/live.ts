/** Token deltas on core NATS, sealed under the job's content key: for whoever watches now, kept by nobody. */
import type { Keys } from '@loom/vault';
import type { NatsConnection } from '@nats-io/nats-core';
import { say } from './nats.ts';
import type { Keyring } from './keyring.ts';

/** Deltas within this time travel together; ms. */
const gather = 25;
const kind = 'content';

const scope = (agent: string): { readonly key: string; readonly source: string } => ({
  key: agent,
  source: 'agent-runner',
});
const contextOf = (tenant: string, job: string, agent: string): string => `${tenant}/${job}/live/${agent}`;

const keysOf = (keyring: Keyring, tenant: string, job: string, agent: string): Promise<Keys> =>
  keyring.writing({ at: { tenant, stream: job }, type: 'step.settled', key: agent });

export function live(
  connection: NatsConnection,
  keyring: Keyring,
  [tenant, job, agent]: readonly [string, string, string],
): (delta: string) => void {
  let pending = '';
  const send = async (): Promise<void> => {
    const text = pending;
    pending = '';
    const sealer = (await keysOf(keyring, tenant, job, agent)).sealer(scope(agent));
    const sealed = sealer.seal(kind, contextOf(tenant, job, agent), Buffer.from(text));
    say(connection, `live.${tenant}.${job}.${agent}`, sealed);
  };
  return (delta) => {
    if (pending === '') setTimeout(() => void send().catch(() => undefined), gather);
    pending += delta;
  };
}

export function onLive(
  connection: NatsConnection,
  keyring: Keyring,
  [tenant, job]: readonly [string, string],
  handler: (agent: string, delta: string) => void,
): () => void {
  let turn = Promise.resolve();
  const open = async (agent: string, sealed: Uint8Array): Promise<void> => {
    const sealer = (await keysOf(keyring, tenant, job, agent)).sealer(scope(agent));
    handler(agent, sealer.open(kind, contextOf(tenant, job, agent), sealed).toString());
  };
  const subscription = connection.subscribe(`live.${tenant}.${job}.*`, {
    callback: (error, message) => {
      const agent = message.subject.split('.')[3] ?? '';
      if (error === null) turn = turn.then(() => open(agent, message.data)).catch(() => undefined);
    },
  });
  return () => subscription.unsubscribe();
}
