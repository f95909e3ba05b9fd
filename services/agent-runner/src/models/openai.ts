import OpenAI from 'openai';
import type { Message, ModelPort, ModelReply, ModelRequest, ToolCall } from '@loom/models';
import type { Endpoint } from './anthropic.ts';
import { cappedFetch, Meter, shown, spoken, tokens, wholeCalls } from './answer.ts';
import { codeOfKind, failure, failureOf, plainId } from './failure.ts';

type Params = OpenAI.Responses.ResponseCreateParamsStreaming;
type Event = OpenAI.Responses.ResponseStreamEvent;
type Item = OpenAI.Responses.ResponseOutputItem;
type Options = Parameters<ModelPort['call']>[1];

/** OpenAI's Responses API: streamed, with tools, nothing stored at the provider; the SDK neither retries nor logs. */
export function openai(endpoint: Endpoint): ModelPort {
  const client = new OpenAI({
    apiKey: endpoint.apiKey,
    baseURL: endpoint.baseUrl ?? 'https://api.openai.com/v1',
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: cappedFetch,
  });
  return {
    provider: 'openai',
    body: (request) => Buffer.from(JSON.stringify(paramsOf(request))),
    call: (request, options) => call(client, paramsOf(request), options),
  };
}

async function call(client: OpenAI, params: Params, options: Options): Promise<ModelReply> {
  const meter = new Meter(Buffer.byteLength(JSON.stringify(params)));
  try {
    const { data, request_id } = await client.responses.create(params, { signal: options.signal }).withResponse();
    meter.requestId = plainId(request_id);
    const answer = new Answer(meter, options.onDelta);
    for await (const event of data) answer.take(event);
    return answer.reply(String(params.model));
  } catch (cause) {
    throw failureOf(cause, options.signal, meter);
  }
}

const NO_REASON = { code: 'server_error', message: 'the response failed' };

/** Owns one answer while it comes in: the finished items, and the response that closes the stream. */
class Answer {
  readonly #meter: Meter;
  readonly #onDelta: (text: string) => void;
  readonly #items: Item[] = [];
  #last: OpenAI.Responses.Response | null = null;

  constructor(meter: Meter, onDelta: (text: string) => void) {
    this.#meter = meter;
    this.#onDelta = onDelta;
  }

  take(event: Event): void {
    const { type } = event;
    if (type === 'response.output_text.delta') {
      this.#meter.add(event.delta);
      this.#onDelta(event.delta);
    } else if (type === 'response.function_call_arguments.delta' || type === 'response.refusal.delta')
      this.#meter.add(event.delta);
    else if (type === 'response.output_item.done') this.#items.push(event.item);
    else this.#end(event);
  }

  /** The events that a stream can end with; every other one says nothing that the last does not say again. */
  #end(event: Event): void {
    if (event.type === 'response.completed' || event.type === 'response.incomplete') this.#close(event.response);
    if (event.type === 'response.failed') this.#fail(event.response.error ?? NO_REASON, event.response);
    if (event.type === 'error') this.#fail(event, null);
  }

  #close(response: OpenAI.Responses.Response): void {
    this.#last = response;
    const { usage } = response;
    if (!usage) return;
    const details = usage.input_tokens_details as Partial<typeof usage.input_tokens_details> | undefined;
    this.#meter.counted = {
      input: tokens(usage.input_tokens),
      cached: tokens(details?.cached_tokens),
      written: tokens(details?.cache_write_tokens),
      output: tokens(usage.output_tokens),
    };
  }

  #fail(
    error: { readonly code: string | null; readonly message: string },
    response: OpenAI.Responses.Response | null,
  ): never {
    if (response) this.#close(response);
    const { requestId } = this.#meter;
    throw failure(codeOfKind(error.code ?? 'server_error'), {
      message: error.message,
      usage: this.#meter.usage(),
      requestId,
    });
  }

  /** @throws ModelFailure `stream_cut` when the response never ended, `output_limit` when it ran out of tokens before it said anything */
  reply(asked: string): ModelReply {
    const { requestId } = this.#meter;
    const usage = this.#usage();
    if (!this.#last) throw failure('stream_cut', { message: 'the answer broke off', usage, requestId });
    const items = this.#last.output.length > 0 ? this.#last.output : this.#items;
    const { text, refused } = textOf(items);
    const written = items.flatMap((item): ToolCall[] =>
      item.type === 'function_call' ? [{ id: item.call_id, name: item.name, args: item.arguments || '{}' }] : [],
    );
    const stopReason = stopOf(this.#last, refused, written.length > 0);
    const calls = stopReason === 'length' ? wholeCalls(written) : written;
    if (stopReason === 'length' && text === '' && calls.length === 0) {
      throw failure('output_limit', {
        message: 'the answer ran out of tokens before it said anything',
        usage,
        requestId,
      });
    }
    return {
      text,
      calls,
      usage,
      model: plainId(this.#last.model) ?? asked,
      requestId: requestId ?? plainId(this.#last.id),
      stopReason,
    };
  }

  #usage(): ModelReply['usage'] {
    const usage = this.#meter.usage();
    return { ...usage, output: this.#meter.counted.output ?? usage.output };
  }
}

function textOf(items: readonly Item[]): { readonly text: string; readonly refused: boolean } {
  const parts = items.flatMap((item) => (item.type === 'message' ? item.content : []));
  return {
    text: parts.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join(''),
    refused: parts.some(({ type }) => type === 'refusal'),
  };
}

function stopOf(response: OpenAI.Responses.Response, refused: boolean, calls: boolean): string {
  const reason = response.incomplete_details?.reason;
  if (refused || reason === 'content_filter') return 'refusal';
  if (response.status === 'incomplete')
    return reason === undefined || reason === 'max_output_tokens' ? 'length' : reason;
  return calls ? 'tools' : 'end';
}

/** The least that OpenAI takes as `max_output_tokens`. */
const LEAST_OUTPUT = 16;

function paramsOf(request: ModelRequest): Params {
  const tools = request.tools.map(({ name, description, parameters }): OpenAI.Responses.FunctionTool => ({
    type: 'function',
    name,
    description,
    parameters: { ...parameters },
    strict: false,
  }));
  return {
    model: request.model,
    instructions: request.system,
    input: spoken(request.messages).flatMap(itemsOf),
    ...(tools.length === 0 ? {} : { tools, parallel_tool_calls: true }),
    max_output_tokens: Math.max(request.maxTokens, LEAST_OUTPUT),
    store: false,
    stream: true,
  };
}

function itemsOf(message: Message): OpenAI.Responses.ResponseInputItem[] {
  if (message.role === 'user') return [{ role: 'user', content: message.text }];
  if (message.role === 'tool')
    return message.results.map(({ id, text }) => ({ type: 'function_call_output', call_id: id, output: shown(text) }));
  const calls = message.calls.map(({ id, name, args }): OpenAI.Responses.ResponseInputItem => ({
    type: 'function_call',
    call_id: id,
    name,
    arguments: args,
  }));
  return message.text.trim() === '' ? calls : [{ role: 'assistant', content: message.text }, ...calls];
}
