import { providersOf } from '@loom/models';
import type { ModelPort, Provider } from '@loom/models';
import { offline } from '../offline/index.ts';
import type { Endpoint } from './anthropic.ts';

export interface Keys {
  readonly anthropic: Endpoint;
  readonly openai: Endpoint;
}

/**
 * The ports of the providers that are set up, and the offline one; an SDK that is not used is not loaded. A server of one's own may want no
 * key: it is sent `none`.
 */
export async function modelPorts(
  keys: Keys,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<Provider, ModelPort>> {
  const set = providersOf(env);
  const ports = new Map<Provider, ModelPort>([['offline', offline()]]);
  if (set.includes('anthropic')) ports.set('anthropic', (await import('./anthropic.ts')).anthropic(keys.anthropic));
  if (set.includes('openai')) ports.set('openai', (await import('./openai.ts')).openai(keys.openai));
  return ports;
}

const nowhere = { apiKey: 'none', baseUrl: null };
const silent = new Map<string, Promise<Pick<ModelPort, 'body'> | undefined>>();

/** What says which bytes a provider would be sent, whether it is set up or not; it calls nobody. */
export function silentPort(provider: string): Promise<Pick<ModelPort, 'body'> | undefined> {
  const env = { [`${provider.toUpperCase()}_API_KEY`]: 'none' };
  const found = async (): Promise<ModelPort | undefined> =>
    (await modelPorts({ anthropic: nowhere, openai: nowhere }, env)).get(provider as Provider);
  const port = silent.get(provider) ?? found();
  silent.set(provider, port);
  return port;
}
