import { pino } from 'pino';
import type { LogFn, Logger } from 'pino';
import { LoomError } from './errors.ts';
import { redact } from './redact.ts';

export type { Logger } from 'pino';

/** What of an error may be printed: LoomErrors speak for themselves, others may quote content and keep only name, code and frames. */
function errorLine(cause: unknown, depth = 0): unknown {
  if (!(cause instanceof Error)) return { name: typeof cause };
  const code = (cause as { code?: unknown }).code;
  return {
    name: cause.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause instanceof LoomError ? { message: cause.message } : {}),
    stack: (cause.stack ?? '')
      .replace(cause.message, '')
      .split('\n')
      .filter((line) => line.startsWith('    at ')),
    ...(cause.cause !== undefined && depth < 4 ? { cause: errorLine(cause.cause, depth + 1) } : {}),
  };
}

/** Without a message pino would take the error's own, which may quote content. */
function withMessage(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, message = 'error', ...more] = args as [unknown, string?, ...unknown[]];
  if (typeof first === 'string') method.apply(this, args);
  else method.apply(this, [first instanceof Error ? { err: first } : first, message, ...more]);
}

/** JSON lines on stderr, level from LOOM_LOG_LEVEL (default warn). Content, secrets and bytes are redacted whatever is passed. */
export function logger(service: string): Logger {
  return pino(
    {
      level: process.env['LOOM_LOG_LEVEL'] ?? 'warn',
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (cause: unknown) => errorLine(cause) },
      hooks: { logMethod: withMessage },
      formatters: { level: (label) => ({ level: label }), log: (fields) => redact(fields) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
