/** The gateway's own figures, named as OpenTelemetry's conventions for HTTP servers name them. */
import { metrics } from '@loom/service';
import type { FastifyInstance } from 'fastify';

const durations = metrics.histogram(
  'http.server.request.duration_seconds',
  'Time to answer a call.',
  [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
);

/** Streams of events that clients follow now. */
export const openStreams = metrics.level('loom.gateway.streams', 'Open streams of events.');
openStreams.add(0);

/** A stream of events is over when its client goes: how long that took is no figure of the gateway's. */
const isStream = (type: unknown): boolean => typeof type === 'string' && type.startsWith('text/event-stream');

/** Measures every answer but streams. */
export function timed(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    if (isStream(reply.getHeader('content-type'))) return;
    durations.record(reply.elapsedTime / 1_000, {
      'http.request.method': request.method,
      'http.route': request.routeOptions.url ?? 'none',
      'http.response.status_code': reply.statusCode,
    });
  });
}
