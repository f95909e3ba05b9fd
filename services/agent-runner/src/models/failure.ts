import { ModelFailure } from '@loom/models';
import type { FailureDetail, Usage } from '@loom/models';

/** Codes that a failed call is recorded under. A closed list: what a provider writes is content and never becomes a code. */
export type FailureCode =
  | 'rate_limited'
  | 'quota_exceeded'
  | 'overloaded'
  | 'server_error'
  | 'timeout'
  | 'aborted'
  | 'connection_failed'
  | 'stream_cut'
  | 'answer_malformed'
  | 'answer_too_large'
  | 'output_limit'
  | 'request_rejected'
  | 'unauthorized'
  | 'model_unknown';

const CLASSES: Readonly<Record<FailureCode, FailureDetail['failure']>> = {
  rate_limited: 'rate_limited',
  quota_exceeded: 'terminal',
  overloaded: 'transient',
  server_error: 'transient',
  timeout: 'transient',
  aborted: 'transient',
  connection_failed: 'transient',
  stream_cut: 'transient',
  answer_malformed: 'transient',
  answer_too_large: 'terminal',
  output_limit: 'terminal',
  request_rejected: 'terminal',
  unauthorized: 'terminal',
  model_unknown: 'terminal',
};

interface Told {
  readonly message: string;
  readonly usage?: Usage | null;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export function failure(code: FailureCode, told: Told): ModelFailure {
  const { usage = null, requestId = null, retryAfterMs = 0 } = told;
  const detail: FailureDetail = { failure: CLASSES[code], code, retryAfterMs, requestId, usage };
  return new ModelFailure(told.message, detail, told.cause === undefined ? {} : { cause: told.cause });
}

/** The code of an HTTP answer that is no answer. `kind` is the provider's own type or code of the error. */
export function codeOfStatus(status: number, kind: string): FailureCode {
  if (status === 429 && kind === 'insufficient_quota') return 'quota_exceeded';
  return STATUSES[status] ?? (status >= 500 ? 'server_error' : 'request_rejected');
}

const STATUSES: Readonly<Record<number, FailureCode>> = {
  401: 'unauthorized',
  402: 'quota_exceeded',
  403: 'unauthorized',
  404: 'model_unknown',
  408: 'server_error',
  409: 'server_error',
  429: 'rate_limited',
  503: 'overloaded',
  529: 'overloaded',
};

const KINDS: Readonly<Record<string, FailureCode>> = {
  rate_limit_error: 'rate_limited',
  rate_limit_exceeded: 'rate_limited',
  insufficient_quota: 'quota_exceeded',
  billing_error: 'quota_exceeded',
  overloaded_error: 'overloaded',
  api_error: 'server_error',
  server_error: 'server_error',
  timeout_error: 'timeout',
  authentication_error: 'unauthorized',
  permission_error: 'unauthorized',
  not_found_error: 'model_unknown',
  invalid_request_error: 'request_rejected',
  invalid_prompt: 'request_rejected',
  bio_policy: 'request_rejected',
};

/** The code of an error that comes inside a stream, by the provider's own type or code. An unknown one may pass: it is tried again. */
export const codeOfKind = (kind: string): FailureCode => KINDS[kind] ?? 'server_error';

/** Milliseconds that the provider asks to wait, from `retry-after-ms` or `retry-after` (seconds, or a date, by the provider's own clock where it tells it); 0 when it says nothing. At most an hour. */
export function retryAfterMs(headers: Headers | undefined, now: number): number {
  const exact = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  const value = headers?.get('retry-after') ?? '';
  const told = Date.parse(headers?.get('date') ?? '');
  const from = Number.isFinite(told) ? told : now;
  const wait =
    [exact, value === '' ? Number.NaN : Number(value) * 1000, Date.parse(value) - from].find((ms) =>
      Number.isFinite(ms),
    ) ?? 0;
  return Math.min(Math.max(Math.round(wait), 0), 3_600_000);
}

interface Known {
  readonly requestId: string | null;
  usage(): Usage;
}

interface SdkError {
  readonly status?: unknown;
  readonly headers?: unknown;
  readonly error?: unknown;
  readonly requestID?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
}

/**
 * What an error of either SDK means. `known` is what the attempt has cost so far and the provider's name for it; an HTTP error costs nothing.
 * Both SDKs have the same shape of error: `status`, `headers`, `requestID`, and the parsed body in `error`; a broken stream has none of them.
 */
export function failureOf(cause: unknown, signal: AbortSignal, known: Known): ModelFailure {
  if (cause instanceof ModelFailure && !signal.aborted) return cause;
  const told = {
    message: cause instanceof Error ? cause.message : String(cause),
    cause,
    requestId: requestIdOf(cause) ?? known.requestId,
    usage: known.usage(),
  };
  if (signal.aborted) return failure(isTimeout(signal.reason) ? 'timeout' : 'aborted', told);
  const { status, headers } = (cause ?? {}) as SdkError;
  if (typeof status !== 'number') return failure(codeOfName(cause), told);
  const wait = retryAfterMs(headers instanceof Headers ? headers : undefined, Date.now());
  return failure(codeOfStatus(status, kindOf(cause)), { ...told, usage: null, retryAfterMs: wait });
}

const requestIdOf = (cause: unknown): string | null =>
  cause instanceof ModelFailure ? cause.detail.requestId : plainId((cause as SdkError | null)?.requestID);

function codeOfName(cause: unknown): FailureCode {
  const name = cause instanceof Error ? `${cause.name} ${cause.constructor.name}` : '';
  if (cause instanceof SyntaxError) return 'answer_malformed';
  if (name.includes('Timeout')) return 'timeout';
  if (name.includes('Connection')) return 'connection_failed';
  const kind = kindOf(cause);
  return kind === '' ? 'stream_cut' : codeOfKind(kind);
}

/** The provider's own word for an error: its code or type, in the error or in its body. */
function kindOf(cause: unknown): string {
  const { error, type, code } = (cause ?? {}) as SdkError;
  const inner = (error ?? {}) as {
    readonly type?: unknown;
    readonly code?: unknown;
    readonly error?: { readonly type?: unknown };
  };
  const words = [code, inner.code, inner.error?.type, type, inner.type];
  return words.find((word): word is string => typeof word === 'string' && word !== 'error') ?? '';
}

const isTimeout = (reason: unknown): boolean => reason instanceof Error && reason.name === 'TimeoutError';

/** An identifier that may stand in a clear field: a provider's other words may not. */
export const plainId = (value: unknown): string | null =>
  typeof value === 'string' && /^[\w.:/@-]{1,128}$/.test(value) ? value : null;
