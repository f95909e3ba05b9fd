/** An end of a command that is not success: what to say and which exit code. */

/** 1 the job or check failed · 2 wrong usage · 3 a needed part is missing or unreachable. */
export type ExitCode = 1 | 2 | 3;

export class Failure extends Error {
  readonly exit: ExitCode;
  /** What the user can do about it; one line each. */
  readonly hints: readonly string[];

  constructor(exit: ExitCode, message: string, hints: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.exit = exit;
    this.hints = hints;
  }
}

/** A needed part is not there. */
export function missing(message: string, ...hints: readonly string[]): Failure {
  return new Failure(3, message, hints);
}

/** The first line of any thrown thing. */
export function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n')[0] ?? text;
}
