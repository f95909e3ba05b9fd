import type { FastifyInstance } from 'fastify';

/** Nothing is loaded, nobody frames it. The pages (the page itself, the API reference) say what they need instead. */
const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const always = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

/** Security headers on every answer, errors included; HSTS where TLS brought the call. */
export function securityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(always);
    if (request.protocol === 'https') {
      void reply.header('strict-transport-security', 'max-age=63072000; includeSubDomains; preload');
    }
  });
}
