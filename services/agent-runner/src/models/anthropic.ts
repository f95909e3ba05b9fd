import Anthropic from '@anthropic-ai/sdk';
import type { Message, ModelPort, ModelReply, ModelRequest, ToolCall } from '@loom/models';
import { argsObject, cappedFetch, Meter, shown, spoken, tokens, wholeCalls } from './answer.ts';
import { failure, failureOf, plainId } from './failure.ts';

type Params = Anthropic.MessageCreateParamsStreaming;
type Event = Anthropic.RawMessageStreamEvent;
type Options = Parameters<ModelPort['call']>[1];

export interface Endpoint {
  readonly apiKey: string;
  readonly baseUrl: string | null;
}

const CACHE = { type: 'ephemeral' } as const;

/** Anthropic's Messages API: streamed, with tools, with the prompt cached up to its last block; the SDK neither retries, logs nor traces. */
export function anthropic(endpoint: Endpoint): ModelPort {
  const client = new Anthropic({
    apiKey: endpoint.apiKey,
    baseURL: endpoint.baseUrl ?? 'https://api.anthropic.com',
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
    fetch: cappedFetch,
  });
  return {
    provider: 'anthropic',
    body: (request) => Buffer.from(JSON.stringify(paramsOf(request))),
    call: (request, options) => call(client, paramsOf(request), options),
  };
}

async function call(client: Anthropic, params: Params, options: Options): Promise<ModelReply> {
  const meter = new Meter(Buffer.byteLength(JSON.stringify(params)));
  try {
    const { data, request_id } = await client.messages.create(params, { signal: options.signal }).withResponse();
    meter.requestId = plainId(request_id);
    const answer = new Answer(meter, options.onDelta);
    for await (const event of data) answer.take(event);
    return answer.reply(params.model);
  } catch (cause) {
    throw failureOf(cause, options.signal, meter);
  }
}

type Block =
  | { readonly kind: 'text'; text: string }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; args: string };

/** Owns one answer while it comes in: blocks by index, in the order that they began. */
class Answer {
  readonly #meter: Meter;
  readonly #onDelta: (text: string) => void;
  readonly #blocks = new Map<number, Block>();
  #model: unknown = null;
  #stop: string | null = null;
  #ended = false;

  constructor(meter: Meter, onDelta: (text: string) => void) {
    this.#meter = meter;
    this.#onDelta = onDelta;
  }

  take(event: Event): void {
    switch (event.type) {
      case 'message_start':
        this.#model = event.message.model;
        return this.#count(event.message.usage);
      case 'content_block_start':
        return this.#begin(event);
      case 'content_block_delta':
        return this.#extend(event);
      case 'message_delta':
        this.#stop = event.delta.stop_reason;
        return this.#count(event.usage);
      case 'message_stop':
        this.#ended = true;
        return;
      case 'content_block_stop':
        return;
    }
  }

  #begin({ index, content_block: block }: Anthropic.RawContentBlockStartEvent): void {
    if (block.type === 'text') this.#blocks.set(index, { kind: 'text', text: block.text });
    if (block.type === 'tool_use') this.#blocks.set(index, { kind: 'call', id: block.id, name: block.name, args: '' });
  }

  #extend({ index, delta }: Anthropic.RawContentBlockDeltaEvent): void {
    const block = this.#blocks.get(index);
    if (delta.type === 'text_delta' && block?.kind === 'text') {
      this.#meter.add(delta.text);
      block.text += delta.text;
      this.#onDelta(delta.text);
    }
    if (delta.type === 'input_json_delta' && block?.kind === 'call') {
      this.#meter.add(delta.partial_json);
      block.args += delta.partial_json;
    }
  }

  /** Anthropic counts cached and written tokens beside `input_tokens`; Loom's `input` holds them all. */
  #count(usage: Partial<Anthropic.Usage> | Anthropic.MessageDeltaUsage): void {
    const { counted } = this.#meter;
    const cached = tokens(usage.cache_read_input_tokens) || (counted.cached ?? 0);
    const written = tokens(usage.cache_creation_input_tokens) || (counted.written ?? 0);
    const fresh = usage.input_tokens === null || usage.input_tokens === undefined ? null : tokens(usage.input_tokens);
    const input = fresh === null ? counted.input : fresh + cached + written;
    this.#meter.counted = {
      cached,
      written,
      output: Math.max(tokens(usage.output_tokens), counted.output ?? 0),
      ...(input === undefined ? {} : { input }),
    };
  }

  /** @throws ModelFailure `stream_cut` when the message never ended, `output_limit` when it ran out of tokens before it said anything */
  reply(asked: string): ModelReply {
    const { usage, requestId } = { usage: this.#meter.usage(), requestId: this.#meter.requestId };
    if (!this.#ended || this.#stop === null)
      throw failure('stream_cut', { message: 'the answer broke off', usage, requestId });
    const blocks = [...this.#blocks.values()];
    const text = blocks.map((block) => (block.kind === 'text' ? block.text : '')).join('');
    const written = blocks.flatMap((block): ToolCall[] =>
      block.kind === 'call' ? [{ id: block.id, name: block.name, args: block.args || '{}' }] : [],
    );
    const stopReason = STOPS[this.#stop] ?? plainId(this.#stop) ?? 'other';
    const calls = stopReason === 'length' ? wholeCalls(written) : written;
    if (stopReason === 'length' && text === '' && calls.length === 0) {
      throw failure('output_limit', {
        message: 'the answer ran out of tokens before it said anything',
        usage,
        requestId,
      });
    }
    return { text, calls, usage: this.#final(usage), model: plainId(this.#model) ?? asked, requestId, stopReason };
  }

  /** The provider's own count of output, where it gave one: the estimate is for answers that broke off. */
  #final(usage: ModelReply['usage']): ModelReply['usage'] {
    return { ...usage, output: this.#meter.counted.output || usage.output };
  }
}

const STOPS: Readonly<Record<string, string>> = {
  end_turn: 'end',
  stop_sequence: 'end',
  tool_use: 'tools',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'refusal',
};

function paramsOf(request: ModelRequest): Params {
  const tools = request.tools.map(({ name, description, parameters }): Anthropic.Tool => ({
    name,
    description,
    input_schema: { ...parameters, type: 'object' },
  }));
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    system: [{ type: 'text', text: request.system, cache_control: CACHE }],
    messages: cachedToTheEnd(merged(spoken(request.messages).map(paramOf))),
    ...(tools.length === 0 ? {} : { tools }),
    stream: true,
  };
}

type Param = { readonly role: 'user' | 'assistant'; readonly content: Anthropic.ContentBlockParam[] };

function paramOf(message: Message): Param {
  if (message.role === 'user') return { role: 'user', content: [{ type: 'text', text: message.text }] };
  if (message.role === 'tool') {
    const content = message.results.map(({ id, text, failed }): Anthropic.ToolResultBlockParam => ({
      type: 'tool_result',
      tool_use_id: id,
      content: shown(text),
      ...(failed ? { is_error: true } : {}),
    }));
    return { role: 'user', content };
  }
  const calls = message.calls.map((one): Anthropic.ToolUseBlockParam => ({
    type: 'tool_use',
    id: one.id,
    name: one.name,
    input: argsObject(one),
  }));
  return {
    role: 'assistant',
    content: message.text.trim() === '' ? calls : [{ type: 'text', text: message.text }, ...calls],
  };
}

/** Turns alternate: neighbours of one role become one message, tool results first. */
function merged(params: readonly Param[]): Param[] {
  const out: Param[] = [];
  for (const param of params) {
    const last = out.at(-1);
    if (last?.role === param.role) last.content.push(...param.content);
    else out.push(param);
  }
  return out;
}

/** The next step of an agent begins with all of this one, so it is cached to its last block. */
function cachedToTheEnd(params: Param[]): Param[] {
  const blocks = params.at(-1)?.content;
  const last = blocks?.at(-1);
  if (blocks && (last?.type === 'text' || last?.type === 'tool_result'))
    blocks[blocks.length - 1] = { ...last, cache_control: CACHE };
  return params;
}
