/**
 * Follows one job's events until its end, across cut lines and restarted gateways.
 * F1  It resumes behind the last fact that was taken, so nothing is lost and nothing comes twice.
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { idle } from './idle.ts';
import { Problem, pauseOf, sleep, type Api } from './client.ts';
import type { JobLog } from '../model/job-log.ts';
import type { ShownFact } from '../model/shown.ts';

export type Line = 'connecting' | 'open' | 'lost' | 'ended';

interface Options {
  readonly api: Api;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly onLine: (line: Line) => void;
}

/** No byte for so long, not even a heartbeat (15 s): the line is dead, ms. */
const silence = 40_000;

/** Resolves when the job has ended and every fact was taken, or the signal aborts. @throws Problem for what no wait mends */
export async function follow(options: Options): Promise<void> {
  const { log, signal, onLine } = options;
  onLine('connecting');
  for (let failures = 0; !signal.aborted;) {
    const before = log.head.seq;
    try {
      if (await readOnce(options)) return onLine('ended');
    } catch (cause) {
      if (signal.aborted) return;
      if (isFinal(cause)) throw cause;
    }
    log.cut();
    onLine('lost');
    failures = log.head.seq > before ? 0 : failures + 1;
    await sleep(failures === 0 ? 100 : Math.min(pauseOf(failures), 4_000), AbortSignal.any([signal, online()]));
  }
}

/** What no wait mends: no such job, or nobody signed in. */
const isFinal = (cause: unknown): boolean =>
  cause instanceof Problem && cause.status >= 400 && cause.status < 500 && cause.status !== 429;

/** Aborts when the machine is back on the network. */
function online(): AbortSignal {
  const abort = new AbortController();
  addEventListener('online', () => abort.abort(), { once: true, signal: AbortSignal.timeout(10_000) });
  return abort.signal;
}

/** One connection; true when there is nothing more to come. */
async function readOnce({ api, log, signal, onLine }: Options): Promise<boolean> {
  const dead = idle(silence);
  const line = AbortSignal.any([signal, dead.signal]);
  const headers = {
    accept: 'text/event-stream',
    ...(log.head.seq > 0 ? { 'last-event-id': String(log.head.seq) } : {}),
  };
  try {
    const response = await api.call('GET', `/v1/jobs/${log.id}/events`, { headers, signal: line, tries: 1 });
    if (response.status === 204 || response.body === null) return true;
    onLine('open');
    log.opened(Date.parse(response.headers.get('date') ?? '') || 0);
    const parser = createParser({ onEvent: (event) => take(log, event) });
    for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ; dead.again()) {
      const { done, value } = await reader.read();
      if (done) return log.head.ended !== null;
      parser.feed(value);
    }
  } finally {
    dead.stop();
  }
}

function take(log: JobLog, { event, data }: EventSourceMessage): void {
  const said: unknown = JSON.parse(data);
  if (event === 'delta') {
    const { agent, text } = said as { agent: string; text: string };
    log.hear(agent, text);
  } else log.add(said as ShownFact);
}
