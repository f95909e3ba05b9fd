/** The gateway's HTTP, from its parts: what wraps every call, then the routes. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { LoomError } from '@loom/service';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bodyBytes } from './domain/limits.ts';
import { securityHeaders } from './http/headers.ts';
import { completed, description } from './http/openapi.ts';
import { timed } from './http/measure.ts';
import { problemOf, problems } from './http/problem.ts';
import { requestBlock } from './http/request.ts';
import { Windows } from './http/windows.ts';
import { authenticate, identity } from './identity/authenticate.ts';
import { siteRoutes } from './page/site.ts';
import type { Site } from './page/site.ts';
import type { Parts } from './parts.ts';
import { artifactRoutes } from './routes/artifacts.ts';
import { controlRoutes } from './routes/control.ts';
import { diffRoutes } from './routes/diff.ts';
import { eventRoutes } from './routes/events.ts';
import { forkRoutes } from './routes/forks.ts';
import { jobRoutes } from './routes/jobs.ts';
import { publicRoutes } from './routes/public.ts';
import type { PublicParts } from './routes/public.ts';
import { showRoutes } from './routes/show.ts';
import { talkRoutes } from './routes/talk.ts';
import { usageRoutes } from './routes/usage.ts';

export interface HttpOptions {
  readonly trustProxy: boolean;
  /** Calls a minute of one person (of one address where nobody is signed in). */
  readonly rateLimit: number;
  /** Files of certificate and key; null when a proxy speaks TLS, or in an embedded stack. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
}

/** Longest header block, bytes: a token of 64 KiB is to be refused as a token. */
const headerBytes = 98_304;

/** A server that is not listening yet. */
export async function httpApp(
  parts: Parts & Omit<PublicParts, 'draining'> & { readonly site: Site },
  options: HttpOptions,
): Promise<FastifyInstance> {
  const app = fastify({
    ...serverOptions(options),
    bodyLimit: bodyBytes,
    trustProxy: options.trustProxy,
    requestTimeout: 300_000,
    clientErrorHandler: answerUnreadable,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1_024 },
    frameworkErrors: (_cause, _request, reply: FastifyReply) => {
      void reply
        .code(400)
        .type('application/problem+json')
        .send(JSON.stringify(problemOf(new LoomError('bad_request'))));
    },
  }) as unknown as FastifyInstance;
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  onlyJson(app);
  securityHeaders(app);
  problems(app, parts.logger);
  timed(app);
  takeLeave(app, parts.draining);
  await app.register(swagger, {
    openapi: description,
    transformObject: (described) => completed('openapiObject' in described ? described.openapiObject : {}),
  });
  await app.register(publicRoutes, parts);
  await app.register(siteRoutes, parts);
  await app.register(async (api) => signedIn(api, parts, options));
  return app;
}

/** What is no HTTP gets an answer in HTTP, and the line is closed. */
function answerUnreadable(cause: Error & { readonly code?: string }, socket: Socket): void {
  const large = cause.code === 'HPE_HEADER_OVERFLOW';
  const body = JSON.stringify(problemOf(new LoomError('bad_request')));
  const head = `HTTP/1.1 ${large ? '431 Request Header Fields Too Large' : '400 Bad Request'}\r\nContent-Type: application/problem+json`;
  if (socket.writable)
    socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  else socket.destroy();
}

const serverOptions = ({ tls }: HttpOptions) =>
  tls === null
    ? { http: { maxHeaderSize: headerBytes } }
    : {
        https: {
          cert: readFileSync(tls.certificate),
          key: readFileSync(tls.key),
          minVersion: 'TLSv1.3' as const,
          maxHeaderSize: headerBytes,
        },
      };

/** JSON is the one body that every route takes; an empty one is none, whatever its content type says. */
function onlyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, null);
    else void parse(request, body as string, done);
  });
}

/** Of a server that drains each answer is the last on its connection: the next call comes by another, and none is on its way when idle ones are closed. */
function takeLeave(app: FastifyInstance, draining: AbortSignal): void {
  app.addHook('onSend', async (_request, reply) => {
    if (draining.aborted) reply.header('connection', 'close');
  });
}

/** The routes below /v1: by token alone, at a bounded rate; an answer that went well is also a sign-in seen. */
async function signedIn(api: FastifyInstance, parts: Parts, options: HttpOptions): Promise<void> {
  authenticate(api, parts.gate);
  await api.register(rateLimit, {
    max: options.rateLimit,
    timeWindow: 60_000,
    store: Windows,
    hook: 'preParsing',
    keyGenerator: (request: FastifyRequest) => request.identity?.person ?? request.ip,
  });
  api.addHook('onSend', async (request, reply) => {
    if (reply.statusCode < 400) await parts.signIn(identity(request), requestBlock(request, ''));
  });
  for (const routes of [
    jobRoutes,
    eventRoutes,
    showRoutes,
    artifactRoutes,
    talkRoutes,
    controlRoutes,
    forkRoutes,
    diffRoutes,
    usageRoutes,
  ]) {
    await api.register(routes, parts);
  }
}
