import type { FastifyInstance } from 'fastify';

/** Scripts, frames and foreign origins are refused; pages style themselves inline. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

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
