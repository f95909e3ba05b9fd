import { errorTable } from './error-table.ts';
import type { ErrorCode, Retry } from './error-table.ts';

interface Options {
  readonly cause?: unknown;
  readonly field?: string;
}

/** How many were made in this process, by code; /metrics shows them. */
export const errorsMade = new Map<string, number>();

/** The one error class of Loom. `code` is a promise to callers; messages carry no content and no secret. */
export class LoomError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retry: Retry;
  readonly field?: string;

  constructor(code: ErrorCode, message?: string, options: Options = {}) {
    super(message ?? errorTable[code].meaning, 'cause' in options ? { cause: options.cause } : {});
    this.name = 'LoomError';
    this.code = code;
    this.status = errorTable[code].status;
    this.retry = errorTable[code].retry;
    if (options.field !== undefined) this.field = options.field;
    errorsMade.set(code, (errorsMade.get(code) ?? 0) + 1);
  }

  /** The error itself if it is one of Loom's, else `internal` with it as cause. */
  static from(cause: unknown): LoomError {
    return cause instanceof LoomError ? cause : new LoomError('internal', undefined, { cause });
  }
}
