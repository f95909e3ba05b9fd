import type { SwaggerOptions } from '@fastify/swagger';

type Description = NonNullable<Extract<SwaggerOptions, { openapi?: unknown }>['openapi']>;

/** What the OpenAPI description says beside the routes. */
export const description: Description = {
  openapi: '3.1.0',
  info: {
    title: 'Loom',
    version: '1',
    description:
      'A brief becomes a swarm of agents becomes files. Money is integer micro-USD, times are RFC 3339 UTC, errors are RFC 9457. ' +
      'Every POST takes Idempotency-Key: the same key and body give the first answer again, the same key with another body 409.',
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: '__session',
        description: 'State-changing calls also need X-CSRF-Token, equal to cookie __Host-loom_csrf.',
      },
    },
  },
  security: [{ bearer: [] }, { session: [] }],
};

const form = {
  schema: {
    type: 'object',
    required: ['brief'],
    properties: {
      brief: { type: 'string' },
      file: { type: 'array', items: { type: 'string', format: 'binary' } },
      engagement: { type: 'string' },
      budget_micros: { type: 'integer' },
      models: { type: 'string', description: 'JSON' },
      metadata: { type: 'string', description: 'JSON' },
    },
  },
};

const idempotency = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  description: 'The same key and body give the first answer again.',
};

interface Document {
  paths?: Record<
    string,
    Record<string, { parameters?: unknown[]; requestBody?: { content: Record<string, unknown> } }> | undefined
  >;
}

const filePath = {
  name: 'path',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'As listed; may hold slashes.',
};

/** A wildcard has no name in a route. */
function describeFile(paths: NonNullable<Document['paths']>): void {
  const { '/v1/jobs/{id}/artifacts/{*}': file, ...others } = paths;
  if (file === undefined) return;
  for (const name of Object.keys(paths)) if (!(name in others)) delete paths[name];
  for (const method of Object.values(file)) method.parameters = [...(method.parameters ?? []), filePath];
  paths['/v1/jobs/{id}/artifacts/{path}'] = file;
}

/** Adds what no route schema can say: the form of a submission, and the header that every POST takes. */
export function completed<D extends object>(document: D): D {
  const paths = (document as Document).paths ?? {};
  for (const methods of Object.values(paths)) {
    const post = methods?.['post'];
    if (post) post.parameters = [...(post.parameters ?? []), idempotency];
  }
  describeFile(paths);
  const submission = paths['/v1/jobs']?.['post']?.requestBody;
  if (submission) submission.content['multipart/form-data'] = form;
  return document;
}
