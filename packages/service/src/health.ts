import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics, scrape } from './metrics.ts';
import { vitals } from './vitals.ts';

/** Not imported: that would load all that is behind `fetch` (otel.ts). */
const { createServer } = process.getBuiltinModule('node:http');

/** A started service. */
export interface Running {
  /** Where it listens: the public port of the gateway, the health port of all others. */
  readonly port: number;
  /** Stops pulling, finishes what is in hand, closes. Safe to call twice. */
  stop(): Promise<void>;
}

interface Options {
  readonly name: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly host?: string;
  /** Each part and whether it can be used. */
  readonly ready: () => Promise<Readonly<Record<string, boolean>>>;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** Each part as /readyz sees it, 1 or 0. */
function showReadiness({ name: service, ready }: Options): () => void {
  const help = { 'loom.service.ready': 'Whether a part of the service can be used: 1 or 0.' };
  return metrics.observe('Gauge', help, async (tell) => {
    const parts = await ready().catch(() => ({ check: false }));
    for (const [part, usable] of Object.entries(parts)) tell('loom.service.ready', usable ? 1 : 0, { service, part });
  });
}

async function readiness(options: Options, response: ServerResponse, draining: boolean): Promise<void> {
  const parts = await options.ready().catch(() => ({ check: false }));
  const ready = !draining && Object.values(parts).every(Boolean);
  answer(response, ready ? 200 : 503, { service: options.name, ready, draining, parts });
}

/** Serves /healthz (the process answers), /readyz (it can do its work; 503 while draining) and /metrics. */
export async function serve(options: Options): Promise<Running> {
  let stopping: Promise<void> | undefined;
  const route = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '/').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, { code: 'method_not_allowed' });
    else if (path === '/healthz') answer(response, 200, { service: options.name, status: 'ok' });
    else if (path === '/readyz') void readiness(options, response, stopping !== undefined);
    else if (path === '/metrics') scrape(request, response);
    else answer(response, 404, { code: 'not_found' });
  };
  const server = createServer(route);
  await listen(server, options.port, options.host ?? '127.0.0.1');
  vitals();
  const hide = showReadiness(options);
  const stop = (): Promise<void> => {
    hide();
    return (stopping ??= close(server));
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
