import { LoomError, errorTable } from '@loom/service';
import type { ErrorCode, Logger } from '@loom/service';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { fieldOf, worst } from '../domain/validation.ts';
import type { Fault } from '../domain/validation.ts';

/** Codes of fastify and its plugins that mean something of ours. */
const known: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_REQ_FILE_TOO_LARGE: 'attachment_too_large',
  FST_FILES_LIMIT: 'too_many_attachments',
  FST_PARTS_LIMIT: 'too_many_attachments',
};

/** Any error as one of Loom's. Messages of parsers are dropped: they quote what was sent. */
function errorOf(cause: Partial<FastifyError> & { readonly validation?: unknown }): LoomError {
  if (cause instanceof LoomError) return cause;
  if (Array.isArray(cause.validation)) return invalid(cause.validation as Fault[], cause);
  const code = known[cause.code ?? ''] ?? (cause.statusCode === 429 ? 'rate_limited' : undefined);
  if (code !== undefined) return new LoomError(code, undefined, { cause });
  const callers = cause.statusCode !== undefined && cause.statusCode >= 400 && cause.statusCode < 500;
  return callers ? new LoomError('bad_request', undefined, { cause }) : LoomError.from(cause);
}

/** @returns the error of a body or query that does not fit its schema, naming the field. */
export function invalid(faults: readonly Fault[], cause?: unknown): LoomError {
  const fault = worst(faults);
  return new LoomError('validation_failed', fault.message ?? 'does not fit the schema', {
    cause,
    field: fieldOf(fault),
  });
}

/** RFC 9457. What went wrong inside is told to the log alone. */
export function problemOf(error: LoomError) {
  const inner = error.status >= 500;
  return {
    type: `urn:loom:error:${error.code}`,
    title: errorTable[error.code].meaning,
    status: error.status,
    code: error.code,
    detail: inner ? errorTable[error.code].meaning : error.message,
    retry: error.retry,
    ...(error.field === undefined ? {} : { field: error.field }),
  };
}

function answer(reply: FastifyReply, error: LoomError): FastifyReply {
  if (error.status === 401) void reply.header('www-authenticate', 'Bearer');
  if (error.retry === 'later' && !reply.hasHeader('retry-after')) void reply.header('retry-after', '1');
  const body = Buffer.from(JSON.stringify(problemOf(error)));
  return reply.code(error.status).type('application/problem+json').send(body);
}

/** Every error leaves as problem+json; a known path with another method says which ones it takes. */
export function problems(app: FastifyInstance, logger: Logger): void {
  const routes = new Map<string, { readonly matches: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { matches: patternOf(url), methods: new Set() };
    for (const one of [method].flat()) route.methods.add(one);
    routes.set(url, route);
  });
  app.setErrorHandler((cause: FastifyError, request, reply) => {
    const error = errorOf(cause);
    if (error.status >= 500) logger.error({ err: error, route: request.routeOptions.url ?? '' }, 'a call failed');
    return answer(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = [...routes.values()].flatMap(({ matches, methods }) => (matches.test(path) ? [...methods] : []));
    if (allowed.length === 0) return answer(reply, new LoomError('not_found'));
    return answer(reply.header('allow', [...new Set(allowed)].join(', ')), new LoomError('method_not_allowed'));
  });
}

const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replaceAll('.', String.raw`\.`)
      .replaceAll(/:\w+/g, '[^/]+')
      .replaceAll('*', '.+')}$`,
  );
