import type { FastifyPluginAsync } from 'fastify';
import { scrape } from '@loom/service';
import { docsPage, docsPolicy } from '../http/pages.ts';

export interface PublicParts {
  /** Each part and whether it can be used. */
  readonly ready: () => Promise<Readonly<Record<string, boolean>>>;
  readonly draining: AbortSignal;
  readonly securityContact: string;
}

const hidden = { schema: { hide: true } };
/** security.txt is renewed with every answer; RFC 9116 advises less than a year. */
const validity = 180 * 86_400_000;

/** What anybody may read. */
export const publicRoutes: FastifyPluginAsync<PublicParts> = async (app, parts) => {
  app.get('/healthz', hidden, async () => ({ service: 'gateway', status: 'ok' }));

  app.get('/readyz', hidden, async (_request, reply) => {
    const found = await parts.ready();
    const draining = parts.draining.aborted;
    const ready = !draining && Object.values(found).every(Boolean);
    return reply.code(ready ? 200 : 503).send({ service: 'gateway', ready, draining, parts: found });
  });

  app.get('/metrics', hidden, (request, reply) => {
    reply.hijack();
    scrape(request.raw, reply.raw);
  });

  app.get('/openapi.json', hidden, async () => app.swagger());
  app.get('/docs', hidden, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', docsPolicy).send(docsPage(app.swagger())),
  );

  app.get('/.well-known/security.txt', hidden, async (_request, reply) => {
    const expires = new Date(Date.now() + validity).toISOString();
    return reply
      .type('text/plain; charset=utf-8')
      .send(`Contact: ${parts.securityContact}\nExpires: ${expires}\nPreferred-Languages: en\n`);
  });
};
