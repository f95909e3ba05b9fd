/** What an emulator was asked, in words that both providers share. */
export interface Asked {
  readonly model: string;
  readonly system: string;
  readonly maxTokens: number;
  readonly tools: readonly string[];
  readonly turns: readonly Turn[];
}

export type Turn =
  | { readonly role: 'user'; readonly text: string }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly calls: readonly { readonly id: string; readonly name: string; readonly args: string }[];
    }
  | { readonly role: 'tool'; readonly results: readonly { readonly id: string; readonly text: string }[] };

/** What goes wrong instead of, or in the middle of, an answer. */
export type Fault =
  | { readonly fault: 'rate_limited'; readonly retryAfterSeconds: number }
  | { readonly fault: 'overloaded' | 'server_error' | 'unauthorized' | 'no_credit' }
  /** The connection closes, or an event says nothing in JSON, or the provider reports an error, after some of the text was sent. */
  | { readonly fault: 'cut' | 'malformed' | 'error_event'; readonly text: string }
  /** Nothing comes for so long. */
  | { readonly fault: 'slow'; readonly ms: number }
  /** Text without end, until the client hangs up. */
  | { readonly fault: 'endless' };

export interface Answer {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly args: unknown }[];
  readonly stop?: 'refusal' | 'length';
  /** Counted by the emulator when absent: four bytes a token. */
  readonly usage?: { readonly input: number; readonly cached: number; readonly output: number };
  /** Pause between the pieces of the stream, ms. */
  readonly pauseMs?: number;
  /** Ends the pauses: what is left of the stream then comes at once. */
  readonly hurry?: AbortSignal;
}

export type Reply = Answer | Fault;
export type Script = (asked: Asked, call: number) => Reply | Promise<Reply>;

/** One call as it came in, outside of Loom's own books. */
export interface Entry {
  readonly path: string;
  readonly status: number;
  readonly asked: Asked | null;
  /** The exact body. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly requestId: string;
  /** Message of the refusal, when the request broke the published schema. */
  readonly refusal: string | null;
}

export interface Emulator extends AsyncDisposable {
  /** For ANTHROPIC_BASE_URL or OPENAI_BASE_URL. */
  readonly url: string;
  readonly ledger: readonly Entry[];
}

export const isFault = (reply: Reply): reply is Fault => 'fault' in reply;

const tokensOf = (value: string): number => Math.ceil(Buffer.byteLength(value) / 4);

/** Tokens of a call: what the script says, else four bytes a token. */
export function usageOf(
  body: string,
  answer: Answer,
): { readonly input: number; readonly cached: number; readonly output: number } {
  const out = (answer.text ?? '') + (answer.calls ?? []).map(({ name, args }) => name + JSON.stringify(args)).join('');
  return answer.usage ?? { input: tokensOf(body), cached: 0, output: Math.max(tokensOf(out), 1) };
}

/** Text in pieces as a model would stream it; joined they are the text again. */
export const pieces = (value: string, size = 24): readonly string[] =>
  value.match(new RegExp(`[\\s\\S]{1,${size}}`, 'gu')) ?? [];
