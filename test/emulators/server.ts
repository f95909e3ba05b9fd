import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from './check.ts';
import { isFault, usageOf } from './script.ts';
import type { Answer, Asked, Emulator, Entry, Fault, Script } from './script.ts';

/** What is a provider's own: its path, its checks, its events, its words for errors. */
export interface Dialect {
  readonly path: string;
  readonly requestIdHeader: string;
  readonly requestIdPrefix: string;
  /** @throws Refusal */
  check(body: unknown, headers: IncomingMessage['headers']): Asked;
  /** The events of an answer, each as `event` and `data`. */
  events(answer: Answer, asked: Asked, usage: Usage, id: string): Iterable<Event>;
  errorEvent(): Event;
  problem(status: number, kind: Kind, message: string, requestId: string): unknown;
}

export interface Event {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

export type Kind =
  | 'invalid'
  | 'unauthorized'
  | 'not_found'
  | 'rate_limited'
  | 'overloaded'
  | 'server_error'
  | 'no_credit';

const STATUS: Readonly<Record<Kind, number>> = {
  invalid: 400,
  unauthorized: 401,
  not_found: 404,
  rate_limited: 429,
  overloaded: 529,
  server_error: 500,
  no_credit: 429,
};

/** One exchange: the request, the answer that is being written, and its line in the ledger. */
interface Exchange {
  readonly dialect: Dialect;
  readonly response: ServerResponse;
  readonly body: string;
  readonly id: string;
  readonly asked: Asked;
  readonly note: (status: number, usage: Usage) => void;
}

const NOTHING: Usage = { input: 0, cached: 0, output: 0 };

/** A provider on loopback. It refuses what the published schema refuses, and keeps a ledger of its own. */
export async function emulate(dialect: Dialect, script: Script): Promise<Emulator> {
  const ledger: Entry[] = [];
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    serve({ dialect, script, ledger, call: calls }, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    ledger,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Desk {
  readonly dialect: Dialect;
  readonly script: Script;
  readonly ledger: Entry[];
  readonly call: number;
}

async function serve(
  { dialect, script, ledger, call }: Desk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const id = `${dialect.requestIdPrefix}${String(call).padStart(24, '0')}`;
  const line = { path: request.url ?? '', body, headers: request.headers, requestId: id };
  const asked = check(dialect, request, body);
  if (asked instanceof Error) {
    const { kind, message } = asked;
    ledger.push({ ...line, status: STATUS[kind], asked: null, tokensIn: 0, tokensOut: 0, refusal: message });
    return problem({ dialect, response, id }, kind, message);
  }
  const note = (status: number, usage: Usage): void => {
    ledger.push({ ...line, status, asked, tokensIn: usage.input, tokensOut: usage.output, refusal: null });
  };
  const reply = await script(asked, call);
  const exchange = { dialect, response, body, id, asked, note };
  return isFault(reply) ? fail(exchange, reply) : answer(exchange, reply);
}

class Refused extends Error {
  readonly kind: Kind;
  constructor(kind: Kind, message: string) {
    super(message);
    this.kind = kind;
  }
}

function check(dialect: Dialect, request: IncomingMessage, body: string): Asked | Refused {
  if (request.method !== 'POST' || request.url !== dialect.path) return new Refused('not_found', 'Not Found');
  if (!String(request.headers['content-type']).startsWith('application/json'))
    return new Refused('invalid', 'content-type must be application/json');
  try {
    return dialect.check(JSON.parse(body), request.headers);
  } catch (error) {
    if (error instanceof Refusal)
      return new Refused(error.path === 'authentication' ? 'unauthorized' : 'invalid', error.message);
    if (error instanceof SyntaxError) return new Refused('invalid', 'The request body is not valid JSON');
    throw error;
  }
}

function problem(
  { dialect, response, id }: Pick<Exchange, 'dialect' | 'response' | 'id'>,
  kind: Kind,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(STATUS[kind], { 'content-type': 'application/json', [dialect.requestIdHeader]: id, ...headers });
  response.end(JSON.stringify(dialect.problem(STATUS[kind], kind, message, id)));
}

async function answer(exchange: Exchange, reply: Answer): Promise<void> {
  const usage = usageOf(exchange.body, reply);
  begin(exchange);
  exchange.note(200, usage);
  for (const event of exchange.dialect.events(reply, exchange.asked, usage, exchange.id)) {
    if (exchange.response.destroyed) return;
    write(exchange.response, event);
    if (reply.pauseMs) await sleep(reply.pauseMs, undefined, { signal: reply.hurry }).catch(() => undefined);
  }
  exchange.response.end();
}

async function fail(exchange: Exchange, fault: Fault): Promise<void> {
  if (fault.fault === 'slow') await sleep(fault.ms, undefined, { ref: false });
  if ('text' in fault) return failInside(exchange, fault);
  if (fault.fault === 'endless') return endless(exchange);
  if (fault.fault === 'slow') return answer(exchange, { text: 'late' });
  const wait: Record<string, string> =
    fault.fault === 'rate_limited' ? { 'retry-after': String(fault.retryAfterSeconds) } : {};
  exchange.note(STATUS[fault.fault], NOTHING);
  problem(exchange, fault.fault, `emulated ${fault.fault}`, wait);
}

/** The answer breaks in the middle: after its first pieces the line is cut, or garbled, or an error is reported. */
function failInside(exchange: Exchange, { fault, text }: Extract<Fault, { text: string }>): void {
  const usage = usageOf(exchange.body, { text });
  begin(exchange);
  exchange.note(200, usage);
  const events = [...exchange.dialect.events({ text }, exchange.asked, usage, exchange.id)];
  for (const event of events.slice(0, Math.ceil(events.length / 2))) write(exchange.response, event);
  if (fault === 'error_event') write(exchange.response, exchange.dialect.errorEvent());
  if (fault === 'malformed') exchange.response.write(`event: ${events.at(-1)?.event}\ndata: {"type": "broken\n\n`);
  if (fault === 'cut') setImmediate(() => exchange.response.destroy());
  else exchange.response.end();
}

async function endless(exchange: Exchange): Promise<void> {
  begin(exchange);
  exchange.note(200, NOTHING);
  const text = 'x'.repeat(256 * 1024);
  const [middle] = [...exchange.dialect.events({ text }, exchange.asked, NOTHING, exchange.id)].filter(({ event }) =>
    event.endsWith('delta'),
  );
  const events = [...exchange.dialect.events({ text: 'x' }, exchange.asked, NOTHING, exchange.id)];
  const first = events.findIndex(({ event }) => event.endsWith('delta'));
  for (const event of events.slice(0, first)) write(exchange.response, event);
  while (!exchange.response.destroyed && middle) {
    if (!write(exchange.response, { ...middle, data: { ...middle.data, delta: widen(middle.data.delta, text) } }))
      await drained(exchange.response);
  }
}

const widen = (delta: unknown, text: string): unknown =>
  typeof delta === 'string' ? text : { ...(delta as object), text };

async function drained(response: ServerResponse): Promise<void> {
  const enough = new AbortController();
  const { signal } = enough;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  enough.abort();
}

function begin({ dialect, response, id }: Exchange): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    [dialect.requestIdHeader]: id,
  });
}

const write = (response: ServerResponse, { event, data }: Event): boolean =>
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
