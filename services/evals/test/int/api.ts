/** The published API as far as evals use it: one token, idempotent submission, jobs that end after a few looks. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Submitted {
  readonly brief: string;
  readonly attachments?: readonly {
    readonly name: string;
    readonly media_type: string;
    readonly content_base64: string;
  }[];
}

export interface Api extends AsyncDisposable {
  readonly url: string;
  /** Bodies by idempotency key. */
  readonly jobs: ReadonlyMap<string, Submitted>;
  readonly cancelled: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export const token = 'token-of-evals';

const json = (status: number, value: unknown): Answer => ({ status, body: JSON.stringify(value) });

/** `report` answers what a job wrote for a submission, null when it never ends; `looksInVain` come before it has ended. */
export async function api(report: (submitted: Submitted) => string | null, looksInVain = 2): Promise<Api> {
  const jobs = new Map<string, Submitted>();
  const cancelled: string[] = [];
  const looks = new Map<string, number>();
  const named = (id: string): Submitted | undefined => [...jobs.entries()].find(([key]) => `job_${key}` === id)?.[1];

  const state = (id: string, submitted: Submitted): Answer => {
    const seen = (looks.get(id) ?? 0) + 1;
    looks.set(id, seen);
    return json(200, { id, status: seen > looksInVain && report(submitted) !== null ? 'completed' : 'running' });
  };
  const about = (method: string, [id = '', what = '', ...path]: readonly string[]): Answer => {
    const submitted = named(id);
    if (submitted === undefined) return json(404, { code: 'not_found' });
    if (what === '') return state(id, submitted);
    if (what === 'cancel' && method === 'POST') return json(202, { id: cancelled.push(id) });
    const found = what === 'artifacts' && path.join('/') === 'final/report.md';
    return found ? { status: 200, body: report(submitted) ?? '' } : json(404, { code: 'not_found' });
  };
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (request.headers.authorization !== `Bearer ${token}`) return json(401, { code: 'unauthenticated' });
    const [, , , ...rest] = (request.url ?? '').split('/');
    if (rest.length > 0 || request.method !== 'POST') return about(request.method ?? '', rest);
    const key = String(request.headers['idempotency-key']);
    jobs.set(key, JSON.parse(Buffer.concat((await request.toArray()) as Buffer[]).toString()) as Submitted);
    return json(201, { id: `job_${key}`, status: 'queued' });
  };
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    jobs,
    cancelled,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
