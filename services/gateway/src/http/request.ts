import type { Request } from '@loom/schemas';
import { LoomError, inSpan } from '@loom/service';
import type { FastifyRequest } from 'fastify';
import { identity } from '../identity/authenticate.ts';

/** The route as the OpenAPI description names it. */
export const actionOf = (request: FastifyRequest): string =>
  `${request.method} ${(request.routeOptions.url ?? '').replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}')}`;

/** The block that every fact of a call carries: who asked for what, from where. */
export function requestBlock(request: FastifyRequest, target: string): Request {
  return {
    action: actionOf(request),
    target,
    person: identity(request).person,
    ip: request.ip,
    user_agent: (request.headers['user-agent'] ?? '').slice(0, 512),
  };
}

/** Runs what a call does in a span of its own, which the facts it appends carry on. */
export function spanned<T>(request: FastifyRequest, work: () => Promise<T>): Promise<T> {
  const parent = request.headers['traceparent'];
  const route = actionOf(request);
  return inSpan(`gateway ${route}`, typeof parent === 'string' ? parent : '', { 'http.route': route }, work);
}

/** `Idempotency-Key`, or undefined. @throws LoomError `validation_failed` unless it is 1 to 255 characters. */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length > 0 && key.length <= 255) return key;
  throw new LoomError('validation_failed', 'must have 1 to 255 characters', { field: 'Idempotency-Key' });
}
