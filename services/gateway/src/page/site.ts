/** The page as the gateway serves it: every file in memory, each as it is and as it was pressed at build time. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { LoomError } from '@loom/service';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { bringBundle } from './bundle.ts';

interface File {
  readonly type: string;
  /** By content coding: `br` and `gzip` where they were worth it, and `identity`. */
  readonly bodies: ReadonlyMap<string, Buffer>;
}

export interface Site {
  readonly index: File;
  /** By name below /assets. */
  readonly assets: ReadonlyMap<string, File>;
  readonly policy: string;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const codings: Readonly<Record<string, string>> = { '.br': 'br', '.gz': 'gzip' };

/** Everything from the gateway alone. Where Clerk signs people in, its script and its API come from its own host. */
function policyFor(clerkHost: string | null): string {
  const own = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];
  const files = ["style-src 'self'", "font-src 'self'", "img-src 'self' blob: data:", "manifest-src 'self'"];
  if (clerkHost === null)
    return [...own, ...files, "script-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'"].join(
      '; ',
    );
  const also = [`script-src 'self' ${clerkHost}`, `connect-src 'self' ${clerkHost}`, 'worker-src blob:'];
  return [...own, ...files, ...also].join('; ');
}

interface Identity {
  /** Clerk's publishable key and the host that it names; null where a local issuer signs. */
  readonly clerk: { readonly key: string; readonly host: string } | null;
}

/** Reads the page, which is built first where it is not there. @throws what the build says */
export async function openSite({ clerk }: Identity): Promise<Site> {
  const dir = await bringBundle();
  const page = await readFile(join(dir, 'index.html'), 'utf8');
  const told = page.replace('name="loom-clerk" content=""', `name="loom-clerk" content="${clerk?.key ?? ''}"`);
  const index = { type: types['.html'] ?? '', bodies: new Map([['identity', Buffer.from(told)]]) };
  return { index, assets: await assetsOf(join(dir, 'assets')), policy: policyFor(clerk?.host ?? null) };
}

async function assetsOf(dir: string): Promise<ReadonlyMap<string, File>> {
  const assets = new Map<string, { type: string; bodies: Map<string, Buffer> }>();
  for (const name of (await readdir(dir)).toSorted()) {
    const coding = codings[extname(name)] ?? 'identity';
    const plain = coding === 'identity' ? name : name.slice(0, -3);
    const file = assets.get(plain) ?? { type: types[extname(plain)] ?? 'application/octet-stream', bodies: new Map() };
    file.bodies.set(coding, await readFile(join(dir, name)));
    assets.set(plain, file);
  }
  return assets;
}

/** Addresses that the page itself knows its way from. */
const views = ['/', '/jobs/:id', '/usage'];
const hidden = { schema: { hide: true } };

/** The page and its files: what anybody may load. Names of assets hold a hash, so they are kept for good. */
export const siteRoutes: FastifyPluginAsync<{ readonly site: Site }> = async (app, { site }) => {
  for (const view of views)
    app.get(view, hidden, async (request, reply) => {
      void reply.header('content-security-policy', site.policy);
      return send(request, reply, site.index);
    });

  app.get<{ Params: { name: string } }>('/assets/:name', hidden, async (request, reply) => {
    const file = site.assets.get(request.params.name);
    if (file === undefined) throw new LoomError('not_found');
    void reply.header('cache-control', 'public, max-age=31536000, immutable');
    return send(request, reply, file);
  });
};

/** In the best coding that the browser takes. */
function send(request: FastifyRequest, reply: FastifyReply, file: File): FastifyReply {
  const taken = String(request.headers['accept-encoding'] ?? '').split(/[\s,;]+/);
  const coding = ['br', 'gzip'].find((one) => taken.includes(one) && file.bodies.has(one));
  void reply.type(file.type).header('vary', 'accept-encoding');
  if (coding !== undefined) void reply.header('content-encoding', coding);
  return reply.send(file.bodies.get(coding ?? 'identity'));
}
