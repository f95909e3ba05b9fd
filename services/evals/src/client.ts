import { setTimeout as sleep } from 'node:timers/promises';
import { LoomError, backoffMs } from '@loom/service';
import type { Secret } from '@loom/service';
import type { Case } from './domain/score.ts';

export interface ClientOptions {
  /** Address of the gateway. */
  readonly url: string;
  readonly token: Secret;
  readonly signal?: AbortSignal;
}

/** What evals need of the API: the same calls that any client makes. */
export interface Client {
  /** The same `key` gives the same job. */
  submit(one: Case, key: string): Promise<string>;
  status(job: string): Promise<string>;
  /** The text of a file, null when the job has none under this path. */
  artifact(job: string, path: string): Promise<string | null>;
  cancel(job: string, key: string): Promise<void>;
}

/** Of one try, ms. */
const patience = 30_000;
const tries = 7;

type Call = (
  method: string,
  path: string,
  more?: { readonly key?: string; readonly body?: unknown },
) => Promise<Response>;

/** One try; no answer is `not_ready`. */
const calling =
  (options: ClientOptions): Call =>
  async (method, path, more = {}) => {
    const limit = AbortSignal.timeout(patience);
    const headers = new Headers({ authorization: `Bearer ${options.token.reveal()}` });
    if (more.key !== undefined) headers.set('idempotency-key', more.key);
    if (more.body !== undefined) headers.set('content-type', 'application/json');
    return fetch(`${options.url.replace(/\/$/, '')}${path}`, {
      method,
      headers,
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
      signal: options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]),
    }).catch((cause: unknown) => Promise.reject(new LoomError('not_ready', 'the gateway does not answer', { cause })));
  };

const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Tries again, with back-off, while the gateway is away or busy: reads do no harm, posts carry their key. */
const patiently =
  (call: Call, signal: AbortSignal | undefined): Call =>
  async (...wanted) => {
    for (let attempt = 1; attempt < tries; attempt += 1) {
      const answer = await call(...wanted).catch(() => null);
      if (answer !== null && !passing.has(answer.status)) return answer;
      await sleep(backoffMs(attempt), undefined, signal === undefined ? {} : { signal });
    }
    return call(...wanted);
  };

/** @throws LoomError `not_ready` when the gateway cannot be reached, `bad_request` when it refuses */
export function client(options: ClientOptions): Client {
  const call = patiently(calling(options), options.signal);
  return {
    async submit(one, key) {
      const answer = await call('POST', '/v1/jobs', { key, body: bodyOf(one) });
      return (await json<{ id: string }>(answer)).id;
    },
    async status(job) {
      return (await json<{ status: string }>(await call('GET', `/v1/jobs/${job}`))).status;
    },
    async artifact(job, path) {
      const answer = await call(
        'GET',
        `/v1/jobs/${job}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`,
      );
      return answer.status === 404 ? null : (await accepted(answer)).text();
    },
    async cancel(job, key) {
      await call('POST', `/v1/jobs/${job}/cancel`, { key });
    },
  };
}

function bodyOf(one: Case): unknown {
  const attachments = one.attachments.map(({ name, media_type, content }) => ({
    name,
    media_type,
    content_base64: Buffer.from(content).toString('base64'),
  }));
  return {
    brief: one.brief,
    ...(one.budget_micros === undefined ? {} : { budget_micros: one.budget_micros }),
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}

async function accepted(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string };
  throw new LoomError(
    answer.status >= 500 ? 'not_ready' : 'bad_request',
    `the gateway answered ${answer.status} ${problem.code ?? ''}`,
  );
}

const json = async <T>(answer: Response): Promise<T> => (await (await accepted(answer)).json()) as T;
