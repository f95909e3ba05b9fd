import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { checkMessages } from './anthropic-check.ts';
import { Refusal } from './check.ts';
import { pieces } from './script.ts';
import type { Answer, Asked, Emulator, Script } from './script.ts';
import { emulate } from './server.ts';
import type { Dialect, Event, Kind, Usage } from './server.ts';

/** Anthropic's Messages API on loopback, as its public description has it: streaming only, client tools only. */
export const anthropicEmulator = (options: { readonly script: Script }): Promise<Emulator> =>
  emulate(dialect, options.script);

const dialect: Dialect = {
  path: '/v1/messages',
  requestIdHeader: 'request-id',
  requestIdPrefix: 'req_',
  check(body, headers) {
    checkHeaders(headers);
    return checkMessages(body);
  },
  events,
  errorEvent: () => ({
    event: 'error',
    data: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  }),
  problem: (_, kind, message, requestId) => ({
    type: 'error',
    error: { type: KINDS[kind], message },
    request_id: requestId,
  }),
};

const KINDS: Readonly<Record<Kind, string>> = {
  invalid: 'invalid_request_error',
  unauthorized: 'authentication_error',
  not_found: 'not_found_error',
  rate_limited: 'rate_limit_error',
  overloaded: 'overloaded_error',
  server_error: 'api_error',
  no_credit: 'rate_limit_error',
};

/** API version 2026-10-21, the one that SDKs from 1.0 on speak; keys come as bearer tokens since, and still as `x-api-key`. */
function checkHeaders(headers: IncomingHttpHeaders): void {
  const keyed = Boolean(headers['x-api-key']) || /^Bearer \S+$/.test(headers.authorization ?? '');
  if (!keyed) throw new Refusal('authentication', 'x-api-key or authorization header is required');
  if (headers['anthropic-version'] !== '2026-10-21')
    throw new Refusal('anthropic-version', 'header is required and must be a valid version');
}

function* events(answer: Answer, asked: Asked, usage: Usage, id: string): Iterable<Event> {
  const start = {
    input_tokens: usage.input - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    output_tokens: 1,
    service_tier: 'standard',
  };
  const message = {
    id: id.replace('req_', 'msg_'),
    type: 'message',
    role: 'assistant',
    model: asked.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: start,
  };
  yield event('message_start', { message });
  yield event('ping', {});
  yield* blocks(answer);
  yield event('message_delta', {
    delta: { stop_reason: stopOf(answer), stop_sequence: null },
    usage: { output_tokens: usage.output },
  });
  yield event('message_stop', {});
}

function* blocks({ text, calls = [] }: Answer): Iterable<Event> {
  let index = 0;
  if (text !== undefined) {
    yield event('content_block_start', { index, content_block: { type: 'text', text: '' } });
    for (const piece of pieces(text))
      yield event('content_block_delta', { index, delta: { type: 'text_delta', text: piece } });
    yield event('content_block_stop', { index });
    index += 1;
  }
  for (const { name, args } of calls) {
    const id = `toolu_${randomBytes(12).toString('hex')}`;
    yield event('content_block_start', { index, content_block: { type: 'tool_use', id, name, input: {} } });
    for (const piece of ['', ...pieces(JSON.stringify(args))])
      yield event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: piece } });
    yield event('content_block_stop', { index });
    index += 1;
  }
}

const event = (type: string, data: Readonly<Record<string, unknown>>): Event => ({
  event: type,
  data: { type, ...data },
});

function stopOf({ stop, calls = [] }: Answer): string {
  if (stop === 'refusal') return 'refusal';
  if (stop === 'length') return 'max_tokens';
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}
