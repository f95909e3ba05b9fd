/** The calls of the API that the page makes. */
import { saveAs } from './save.ts';
import type { Api } from './client.ts';

export interface Summary {
  readonly id: string;
  readonly status: string;
  readonly brief: string;
  readonly engagement: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly budget_micros: number;
  readonly reserved_micros: number;
  readonly spent_micros: number;
}

export interface Page {
  readonly items: readonly Summary[];
  readonly next_cursor: string | null;
}

export interface Draft {
  readonly brief: string;
  readonly engagement: string;
  readonly budgetMicros: number | null;
  readonly files: readonly File[];
}

interface Created {
  readonly id: string;
}

export const listJobs = (api: Api, cursor: string | null, limit = 50): Promise<Page> =>
  api.json('GET', `/v1/jobs?limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);

/** Submits a brief; `key` is the same for every try at one draft. */
export async function submitJob(api: Api, draft: Draft, key: string): Promise<string> {
  const form = new FormData();
  form.append('brief', draft.brief);
  if (draft.engagement !== '') form.append('engagement', draft.engagement);
  if (draft.budgetMicros !== null) form.append('budget_micros', String(draft.budgetMicros));
  for (const file of draft.files) form.append('file', file, file.name);
  const response = await api.call('POST', '/v1/jobs', { body: form, headers: { 'idempotency-key': key } });
  return ((await response.json()) as Created).id;
}

/** Says something to a job. The id of the follow-up job when it has ended, else null. */
export async function say(api: Api, job: string, text: string, question?: string): Promise<string | null> {
  const body = { text, ...(question === undefined ? {} : { in_reply_to: question }) };
  const answer = await api.json<Created & { readonly job?: string }>('POST', `/v1/jobs/${job}/messages`, body);
  return answer.job === undefined ? answer.id : null;
}

export const setBudget = (api: Api, job: string, micros: number): Promise<unknown> =>
  api.json('POST', `/v1/jobs/${job}/budget`, { budget_micros: micros });

export const cancelJob = (api: Api, job: string): Promise<unknown> => api.json('POST', `/v1/jobs/${job}/cancel`);
export const killJob = (api: Api, job: string): Promise<unknown> => api.json('POST', `/v1/jobs/${job}/kill`);
export const killAgent = (api: Api, job: string, agent: string): Promise<unknown> =>
  api.json('POST', `/v1/jobs/${job}/agents/${agent}/kill`);

/** Hash of the state as the gateway folds it up to a sequence. */
export async function stateHashAt(api: Api, job: string, seq: number): Promise<string> {
  const { headers } = await api.call('HEAD', `/v1/jobs/${job}/state?at=${seq}`);
  return (headers.get('etag') ?? '').replaceAll('"', '');
}

const filePath = (job: string, path: string): string =>
  `/v1/jobs/${job}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`;

export const artifact = async (api: Api, job: string, path: string, signal?: AbortSignal): Promise<Blob> =>
  (await api.call('GET', filePath(job, path), signal ? { signal } : {})).blob();

export async function downloadArtifact(api: Api, job: string, path: string): Promise<void> {
  saveAs(await artifact(api, job, path), path.split('/').at(-1) ?? 'file');
}

export async function downloadAll(api: Api, job: string): Promise<void> {
  saveAs(await (await api.call('GET', `/v1/jobs/${job}/artifacts.zip`)).blob(), `${job}.zip`);
}
