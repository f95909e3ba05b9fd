/**
 * The gateways as a client behind a load balancer sees them.
 * Owns the book of refusals: whatever is neither success nor a wish to be asked again.
 * D1  A command has one idempotency key for all its tries, so that it may be repeated however its answer got lost.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Refused {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string;
}

export interface Door {
  /** Tries until there is an answer other than "ask again". @throws when there is none within `seconds` (default 60) */
  call(method: string, path: string, body?: unknown, options?: { key?: string; seconds?: number }): Promise<Answer>;
  readonly refused: readonly Refused[];
  /** Calls that were taken and then broke off; nobody there, or a wish to be asked again, is no such thing. */
  readonly broken: readonly string[];
  /** How often a call had to be repeated: 503, or nobody there. */
  repeats(): number;
  /** Jobs and agents that were killed by a call: what workers have in hand for them breaks off. */
  kills(): number;
}

interface Ways {
  readonly urls: readonly string[];
  readonly token: () => Promise<string>;
}

/** One try; in words why it has to be asked again. */
async function once(url: string, init: RequestInit, broken: string[]): Promise<Answer | string> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) });
    const body = (await response.json().catch(() => ({}))) as Answer['body'];
    return response.status === 503 ? `503 ${String(body['code'])}` : { status: response.status, body };
  } catch (cause) {
    if (codeOf(cause) !== 'ECONNREFUSED') broken.push(`${init.method} ${url}: ${codeOf(cause)}`);
    return codeOf(cause);
  }
}

function codeOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : null;
  const named = inner instanceof Error && 'code' in inner ? inner.code : null;
  return String(named ?? cause);
}

export function doorOf({ urls, token }: Ways): Door {
  const refused: Refused[] = [];
  const broken: string[] = [];
  let repeats = 0;
  let kills = 0;
  let at = 0;
  const note = (method: string, path: string, { status, body }: Answer): void => {
    if (status >= 400) refused.push({ method, path, status, code: String(body['code']) });
    else if (path.endsWith('/kill')) kills += 1;
  };
  const call: Door['call'] = async (method, path, body, { key = randomUUID(), seconds = 60 } = {}) => {
    const headers = {
      authorization: `Bearer ${await token()}`,
      ...(method === 'GET' ? {} : { 'idempotency-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    let last = '';
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
      const answer = await once(`${urls[at++ % urls.length]}${path}`, init, broken);
      if (typeof answer !== 'string') {
        note(method, path, answer);
        return answer;
      }
      last = answer;
      repeats += 1;
    }
    throw new Error(`${method} ${path}: no gateway answers within ${seconds} s, the last said ${last}`);
  };
  return { call, refused, broken, repeats: () => repeats, kills: () => kills };
}
