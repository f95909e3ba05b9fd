import { LoomError } from '@loom/service';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cookies } from './cookies.ts';
import { csrfCookie } from './csrf.ts';
import type { Csrf } from './csrf.ts';
import type { Identity } from './tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route below /v1 before its handler runs; read it by `identity(request)`. */
    identity: Identity | null;
  }
}

export interface Gate {
  readonly verify: (token: string) => Promise<Identity>;
  readonly csrf: Csrf;
}

/** Who calls. @throws LoomError `unauthenticated` on a route that lets anybody in. */
export function identity(request: FastifyRequest): Identity {
  if (request.identity === null) throw new LoomError('unauthenticated');
  return request.identity;
}

/** Lets nobody into the routes registered on `app` without a session token, nor a cookie session change state without its CSRF token. */
export function authenticate(app: FastifyInstance, gate: Gate): void {
  app.decorateRequest('identity', null);
  app.addHook('onRequest', async (request, reply) => {
    const bearer = bearerOf(request.headers.authorization);
    if (bearer !== undefined) {
      request.identity = await gate.verify(bearer);
      return;
    }
    await byCookie(gate, request, reply);
  });
}

/** @throws LoomError `unauthenticated` when there is an Authorization header of another kind. */
function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (token === undefined) throw new LoomError('unauthenticated');
  return token;
}

async function byCookie(gate: Gate, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const jar = cookies(request.headers.cookie);
  const token = jar.get('__session');
  if (token === undefined) throw new LoomError('unauthenticated');
  const caller = await gate.verify(token);
  const held = jar.get(csrfCookie);
  if (isSafe(request.method)) offer(gate.csrf, caller.session, held, reply);
  else checkCsrf(gate.csrf, caller.session, held, request);
  request.identity = caller;
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

function offer(tokens: Csrf, session: string, held: string | undefined, reply: FastifyReply): void {
  if (tokens.valid(session, held)) return;
  void reply.header('set-cookie', `${csrfCookie}=${tokens.issue(session)}; Path=/; Secure; SameSite=Strict`);
}

function checkCsrf(tokens: Csrf, session: string, held: string | undefined, request: FastifyRequest): void {
  const sent = request.headers['x-csrf-token'];
  const elsewhere = request.headers['sec-fetch-site'] === 'cross-site';
  if (elsewhere || sent !== held || !tokens.valid(session, held)) throw new LoomError('csrf_failed');
}
