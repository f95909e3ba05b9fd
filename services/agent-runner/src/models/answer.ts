import type { Message, ToolCall, Usage } from '@loom/models';
import { failure } from './failure.ts';

/** Most bytes of text and arguments that one answer may have. */
const MOST = 10 * 1024 * 1024;
/** Most bytes of a response as it comes over the wire: events wrap each few letters in some 200 bytes. */
const MOST_RAW = 16 * MOST;

/** Bytes a token stands for where the provider has not counted: with English and code it is about four. */
const BYTES_A_TOKEN = 4;

/** Counts what an answer holds so far; the guard against an answer without end, and the estimate of what a broken-off one cost. */
export class Meter {
  readonly #requestBytes: number;
  #bytes = 0;
  /** What the provider itself has counted, as far as it has told. */
  counted: Partial<Usage> = {};
  requestId: string | null = null;

  constructor(requestBytes: number) {
    this.#requestBytes = requestBytes;
  }

  /** @throws ModelFailure `answer_too_large` */
  add(text: string): void {
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > MOST)
      throw failure('answer_too_large', {
        message: 'the answer is longer than 10 MB',
        usage: this.usage(),
        requestId: this.requestId,
      });
  }

  /** Tokens as counted by the provider, else estimated from the bytes that went out and came in. */
  usage(): Usage {
    const { input, cached = 0, written = 0, output = 0 } = this.counted;
    return {
      input: input ?? Math.ceil(this.#requestBytes / BYTES_A_TOKEN),
      cached,
      written,
      output: Math.max(output, Math.ceil(this.#bytes / BYTES_A_TOKEN)),
    };
  }
}

/** A whole number of tokens, whatever a server sent. */
export const tokens = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.min(Math.ceil(value), 1_000_000_000) : 0;

/** `fetch` that gives up on a response of more than 160 MB, so that no server can fill the memory. */
export async function cappedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (!response.body) return response;
  let bytes = 0;
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MOST_RAW)
        controller.error(failure('answer_too_large', { message: 'the response is longer than 160 MB' }));
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(cap), response);
}

/** Arguments as the object that Anthropic's protocol wants; what a model wrote that is no object becomes {}. */
export function argsObject(call: ToolCall): Record<string, unknown> {
  try {
    const args: unknown = JSON.parse(call.args);
    return typeof args === 'object' && args !== null && !Array.isArray(args) ? (args as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Calls whose arguments are whole; an answer that ran into its limit can end in the middle of one. */
export const wholeCalls = (calls: readonly ToolCall[]): readonly ToolCall[] => calls.filter(({ args }) => isJson(args));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What a model is shown of a tool that said nothing: both protocols dislike empty text. */
export const shown = (text: string): string => (text === '' ? '(no output)' : text);

/** Messages that say something: empty text is refused by both protocols. */
export const spoken = (messages: readonly Message[]): readonly Message[] =>
  messages.filter(
    (message) =>
      message.role === 'tool' ||
      message.text.trim() !== '' ||
      (message.role === 'assistant' && message.calls.length > 0),
  );
