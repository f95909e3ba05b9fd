import { LoomError } from '@loom/service';
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

const patience = 30_000;

/** @throws LoomError `not_ready` when the gateway cannot be reached, `bad_request` when it refuses */
export function client(options: ClientOptions): Client {
  const call = async (method: string, path: string, more: { key?: string; body?: unknown } = {}): Promise<Response> => {
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
