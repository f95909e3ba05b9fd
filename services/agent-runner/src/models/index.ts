import { providersOf } from '@loom/models';
import type { ModelPort, Provider } from '@loom/models';
import { offline } from '../offline/index.ts';
import { anthropic } from './anthropic.ts';
import type { Endpoint } from './anthropic.ts';
import { openai } from './openai.ts';

export interface Keys {
  readonly anthropic: Endpoint;
  readonly openai: Endpoint;
}

/** The ports of the providers that are set up, and the offline one. A server of one's own may want no key: it is sent `none`. */
export function modelPorts(
  keys: Keys,
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<Provider, ModelPort> {
  const set = providersOf(env);
  return new Map<Provider, ModelPort>([
    ['offline', offline()],
    ...(set.includes('anthropic') ? [['anthropic', anthropic(keys.anthropic)] as const] : []),
    ...(set.includes('openai') ? [['openai', openai(keys.openai)] as const] : []),
  ]);
}
