/** The gateway as the commands use it: api.md over HTTP, nothing else. */
import type { JobView } from '@loom/job';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Brief } from './brief.ts';

export interface Access {
  readonly url: string;
  readonly token: () => Promise<string>;
}

export interface JobEvent {
  readonly seq: number | null;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export class Gateway {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** @throws Failure 1 with the gateway's own words, 3 when it cannot be reached */
  async call(method: string, path: string, body?: unknown): Promise<Response> {
    const json = body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' };
    const payload = body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) };
    const headers = { authorization: `Bearer ${await this.#access.token()}`, ...json };
    const response = await fetch(new URL(path, this.#access.url), { method, headers, ...payload }).catch(
      (cause: unknown) => {
        throw new Failure(
          3,
          `the gateway at ${this.#access.url} cannot be reached`,
          ['./loom up starts it, ./loom doctor shows what is missing'],
          { cause },
        );
      },
    );
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await (await this.call(method, path, body)).json()) as T;
  }

  async submit(brief: Brief, options: { readonly budgetMicros?: number | undefined }): Promise<JobView> {
    const form = new FormData();
    form.append('brief', brief.text);
    if (options.budgetMicros !== undefined) form.append('budget_micros', String(options.budgetMicros));
    for (const file of brief.files) form.append('file', await openAsBlob(file.path), file.name);
    return this.json('POST', '/v1/jobs', form);
  }

  job(id: string): Promise<JobView> {
    return this.json('GET', `/v1/jobs/${id}`);
  }

  /** Facts and deltas of a job until its terminal fact; a cut line is taken up again where it broke. */
  async *events(id: string, after: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
    let last = after;
    for (let failures = 0; failures < 20 && !signal.aborted; failures += 1) {
      try {
        for await (const event of this.#stream(id, last, signal)) {
          failures = 0;
          last = event.seq ?? last;
          yield event;
        }
        return;
      } catch (cause) {
        if (signal.aborted) return;
        if (cause instanceof Failure && cause.exit === 1) throw cause;
        await sleep(Math.min(200 * 2 ** failures, 5_000));
      }
    }
  }

  async *#stream(id: string, after: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
    const headers = {
      authorization: `Bearer ${await this.#access.token()}`,
      accept: 'text/event-stream',
      'last-event-id': String(after),
    };
    const response = await fetch(new URL(`/v1/jobs/${id}/events`, this.#access.url), { headers, signal });
    if (!response.ok) throw await refusal(response);
    const waiting: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (event) => void waiting.push(event) });
    const text = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      parser.feed(text.decode(chunk as Uint8Array, { stream: true }));
      for (const { id: seq, event, data } of waiting.splice(0))
        yield {
          seq: seq ? Number(seq) : null,
          type: event ?? 'message',
          data: JSON.parse(data) as Record<string, unknown>,
        };
    }
  }
}

async function refusal(response: Response): Promise<Failure> {
  const problem = (await response.json().catch(() => ({}))) as {
    code?: string;
    detail?: string;
    title?: string;
    field?: string;
  };
  const where = problem.field ? ` (field ${problem.field})` : '';
  return new Failure(
    response.status >= 502 ? 3 : 1,
    `${problem.detail ?? problem.title ?? response.statusText}${where} [${problem.code ?? response.status}]`,
  );
}
