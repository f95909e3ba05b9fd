/** A tool as a model is told of it; `parameters` is a JSON Schema. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** Arguments as JSON text, exactly as the model wrote them. */
  readonly args: string;
}

export interface ToolResult {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly failed: boolean;
}

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly results: readonly ToolResult[] };

/** What the prompt was made of; providers are not sent this, the rule-based offline model reads it instead of prose. */
export interface Situation {
  readonly kind: 'planner' | 'worker' | 'writer';
  readonly agent: string;
  readonly role: string;
  readonly task: string;
  readonly brief: string;
  /** All attachments of the job. */
  readonly attachments: readonly { readonly name: string; readonly media_type: string; readonly size: number }[];
  /** Names of the attachments given to this agent. */
  readonly files: readonly string[];
  /** What the agents that it waited for came to. */
  readonly results: readonly {
    readonly agent: string;
    readonly role: string;
    readonly task: string;
    readonly outcome: 'done' | 'failed' | 'killed' | 'skipped';
    readonly text: string;
  }[];
  /** Paths of the artifacts written so far, e.g. final/chart.png. */
  readonly artifacts: readonly string[];
}

export interface ModelRequest {
  readonly model: string;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly maxTokens: number;
  readonly situation: Situation;
}

/** Tokens; `input` includes `cached` and `written` (written to the provider's prompt cache, which costs 5/4 of the input price). */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly written?: number;
}

export interface ModelReply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: Usage;
  readonly model: string;
  readonly requestId: string | null;
  /** `end`, `tools`, `length`, `refusal`, or the provider's own word. */
  readonly stopReason: string;
}

/** How a call went wrong, for the retry policy. `usage` is what was paid all the same, if known. */
export interface FailureDetail {
  readonly failure: 'rate_limited' | 'transient' | 'terminal';
  readonly code: string;
  readonly retryAfterMs: number;
  readonly requestId: string | null;
  readonly usage: Usage | null;
}

export class ModelFailure extends Error {
  readonly detail: FailureDetail;
  constructor(message: string, detail: FailureDetail, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ModelFailure';
    this.detail = detail;
  }
}

/** One provider. `body` gives the exact bytes that `call` sends (their HMAC goes on record); SDK retries are off. */
export interface ModelPort {
  readonly provider: 'anthropic' | 'openai' | 'offline';
  body(request: ModelRequest): Uint8Array;
  /** @throws ModelFailure */
  call(
    request: ModelRequest,
    options: { readonly signal: AbortSignal; readonly onDelta: (text: string) => void },
  ): Promise<ModelReply>;
}
