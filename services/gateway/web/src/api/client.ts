/**
 * Calls to the gateway.
 * C1  What may be repeated is: reads, and POSTs under one `Idempotency-Key` for all tries, so a gateway that restarts costs a moment and nothing twice.
 */
import type { Session } from './session.ts';

/** What the gateway said went wrong (RFC 9457), or that it could not be reached. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;

  constructor(status: number, code: string, detail: string, field: string | null = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export interface Call {
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** How often a call that met a restart is tried; 6 by default. */
  readonly tries?: number;
}

export interface Api {
  /** The answer's JSON. @throws Problem */
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** @throws Problem, or what the signal aborts with */
  call(method: string, path: string, call?: Call): Promise<Response>;
}

const passing = new Set([429, 502, 503, 504]);
export const pauseOf = (attempt: number): number => Math.min(8_000, 250 * 2 ** attempt) * (0.5 + Math.random());

export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

async function problemOf(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => ({}))) as Partial<Record<'code' | 'detail' | 'field', string>>;
  const detail = said.detail ?? `The gateway answered ${response.status}.`;
  return new Problem(response.status, said.code ?? 'unknown', detail, said.field ?? null);
}

/** @throws Problem `unreachable` when nobody answers */
function reach(path: string, init: RequestInit): Promise<Response> {
  return fetch(path, init).catch((cause: unknown) => {
    if (init.signal?.aborted) throw cause;
    throw new Problem(0, 'unreachable', 'The gateway cannot be reached.');
  });
}

/** `lost` hears that the session is over. */
export function apiOf(session: Session, lost: () => void): Api {
  const once = async (method: string, path: string, { body, headers, signal }: Call): Promise<Response> => {
    const token = await session.token();
    if (token === null) throw new Problem(401, 'unauthenticated', 'Your session is over: sign in again.');
    const init = { method, headers: { ...headers, authorization: `Bearer ${token}` }, cache: 'no-store' } as const;
    const response = await reach(path, { ...init, ...(body ? { body } : {}), ...(signal ? { signal } : {}) });
    if (response.ok) return response;
    throw await problemOf(response);
  };
  const call: Api['call'] = async (method, path, given = {}) => {
    const keyed = method === 'POST' ? { 'idempotency-key': crypto.randomUUID() } : {};
    const settled = { ...given, headers: { ...keyed, ...given.headers } };
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(method, path, settled);
      } catch (cause) {
        if (isSignedOut(cause)) lost();
        if (!isWorthAnother(cause, attempt + 1, given)) throw cause;
        await sleep(pauseOf(attempt), given.signal);
      }
    }
  };
  return { call, json: (method, path, body) => jsonCall(call, method, path, body) };
}

const usualTries = 6;
const isWorthAnother = (cause: unknown, made: number, { tries = usualTries, signal }: Call): boolean =>
  isPassing(cause) && made < tries && signal?.aborted !== true;
const isSignedOut = (cause: unknown): boolean => cause instanceof Problem && cause.status === 401;
const isPassing = (cause: unknown): boolean =>
  cause instanceof Problem && (cause.status === 0 || passing.has(cause.status));

async function jsonCall<T>(call: Api['call'], method: string, path: string, body: unknown): Promise<T> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return (await (await call(method, path, sent)).json()) as T;
}

/** What to tell a person about a failure. */
export const told = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
