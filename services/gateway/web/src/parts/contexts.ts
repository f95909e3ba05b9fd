import { createContext, use } from 'react';
import type { Api } from '../api/client.ts';

export const ApiContext = createContext<Api | null>(null);
export const SignOutContext = createContext<() => void>(() => undefined);

/** @throws outside of a session */
export function useApi(): Api {
  const api = use(ApiContext);
  if (api === null) throw new Error('nobody is signed in');
  return api;
}
