import { randomBytes } from 'node:crypto';
import { checkResponses } from './openai-check.ts';
import { Refusal } from './check.ts';
import { pieces } from './script.ts';
import type { Answer, Asked, Emulator, Script } from './script.ts';
import { emulate } from './server.ts';
import type { Dialect, Event, Kind, Usage } from './server.ts';

/** OpenAI's Responses API on loopback, as its public description has it: streaming only, functions only. */
export async function openaiEmulator(options: { readonly script: Script }): Promise<Emulator> {
  const emulator = await emulate(dialect, options.script);
  return {
    url: `${emulator.url}/v1`,
    ledger: emulator.ledger,
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  };
}

const dialect: Dialect = {
  path: '/v1/responses',
  requestIdHeader: 'x-request-id',
  requestIdPrefix: 'req_',
  check(body, headers) {
    if (!/^Bearer \S+$/.test(headers.authorization ?? ''))
      throw new Refusal('authentication', "You didn't provide an API key.");
    return checkResponses(body);
  },
  events: (answer, asked, usage, id) => numbered(events(answer, asked, usage, id)),
  errorEvent: () => ({
    event: 'error',
    data: {
      type: 'error',
      code: 'server_error',
      message: 'The server had an error',
      param: null,
      sequence_number: 999,
    },
  }),
  problem: (_, kind, message) => ({ error: { message, ...KINDS[kind], param: null } }),
};

const KINDS: Readonly<Record<Kind, { readonly type: string; readonly code: string | null }>> = {
  invalid: { type: 'invalid_request_error', code: null },
  unauthorized: { type: 'invalid_request_error', code: 'invalid_api_key' },
  not_found: { type: 'invalid_request_error', code: 'model_not_found' },
  rate_limited: { type: 'requests', code: 'rate_limit_exceeded' },
  overloaded: { type: 'server_error', code: 'server_error' },
  server_error: { type: 'server_error', code: 'server_error' },
  no_credit: { type: 'insufficient_quota', code: 'insufficient_quota' },
};

type Draft = readonly [type: string, data: Readonly<Record<string, unknown>>];

function* numbered(drafts: Iterable<Draft>): Iterable<Event> {
  let n = 0;
  for (const [type, data] of drafts) {
    yield { event: type, data: { type, sequence_number: n, ...data } };
    n += 1;
  }
}

const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('hex')}`;

function* events(answer: Answer, asked: Asked, usage: Usage, id: string): Iterable<Draft> {
  const response = responseOf(asked, id.replace('req_', 'resp_'));
  yield ['response.created', { response }];
  yield ['response.in_progress', { response }];
  const output: unknown[] = [];
  if (answer.text !== undefined) output.push(yield* said(answer.text, output.length, answer.stop === 'refusal'));
  for (const call of answer.calls ?? []) output.push(yield* called(call, output.length));
  const cut = answer.stop === 'length';
  const ended = {
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output,
    usage: usageOf(usage),
  };
  yield [cut ? 'response.incomplete' : 'response.completed', { response: { ...response, ...ended } }];
}

const responseOf = (asked: Asked, id: string): Readonly<Record<string, unknown>> => ({
  id,
  object: 'response',
  created_at: 1_790_000_000,
  status: 'in_progress',
  error: null,
  incomplete_details: null,
  instructions: asked.system,
  max_output_tokens: asked.maxTokens,
  metadata: {},
  model: asked.model,
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  store: false,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage: null,
});

const usageOf = ({ input, cached, output }: Usage): unknown => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
});

function* said(text: string, output_index: number, refused: boolean): Generator<Draft, unknown> {
  const item = { id: newId('msg'), type: 'message', role: 'assistant' };
  const at = { item_id: item.id, output_index, content_index: 0 };
  const part = refused ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [] };
  const kind = refused ? 'response.refusal' : 'response.output_text';
  yield ['response.output_item.added', { output_index, item: { ...item, status: 'in_progress', content: [] } }];
  yield ['response.content_part.added', { ...at, part: refused ? { ...part, refusal: '' } : { ...part, text: '' } }];
  for (const delta of pieces(text))
    yield [`${kind}.delta`, refused ? { ...at, delta } : { ...at, delta, logprobs: [] }];
  yield [`${kind}.done`, refused ? { ...at, refusal: text } : { ...at, text, logprobs: [] }];
  yield ['response.content_part.done', { ...at, part }];
  const done = { ...item, status: 'completed', content: [part] };
  yield ['response.output_item.done', { output_index, item: done }];
  return done;
}

function* called(
  { name, args }: { readonly name: string; readonly args: unknown },
  output_index: number,
): Generator<Draft, unknown> {
  const item = { id: newId('fc'), type: 'function_call', call_id: newId('call'), name };
  const at = { item_id: item.id, output_index };
  const text = JSON.stringify(args);
  yield ['response.output_item.added', { output_index, item: { ...item, status: 'in_progress', arguments: '' } }];
  for (const delta of pieces(text)) yield ['response.function_call_arguments.delta', { ...at, delta }];
  yield ['response.function_call_arguments.done', { ...at, name, arguments: text }];
  const done = { ...item, status: 'completed', arguments: text };
  yield ['response.output_item.done', { output_index, item: done }];
  return done;
}
